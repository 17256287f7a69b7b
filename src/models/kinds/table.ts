// `kind: table`: the rows of the SELECT, made anew whenever something it reads changed.
import { contentOf } from '../content.ts'
import { render, type Kind } from '../model.ts'
import { modelName, replaceRelation } from './replace.ts'

export const table: Kind<object> = {
  kind: 'table',
  header: (z) => z.object({}),
  build: async (model, { warehouse, instant }) => {
    await replaceRelation(warehouse, model.name, 'table', render(model.sql, warehouse, instant))
    const content = await contentOf(warehouse, modelName(model.name))
    return { rows: content.rows, content: content.text }
  },
}
