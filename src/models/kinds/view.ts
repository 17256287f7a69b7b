// `kind: view`: the SELECT itself under the model's name. It has no content of its own; its version follows what it reads.
import { render, type Kind } from '../model.ts'
import { replaceRelation } from './replace.ts'

export const view: Kind<object> = {
  kind: 'view',
  header: (z) => z.object({}),
  build: async (model, { warehouse, instant }) => {
    await replaceRelation(warehouse, model.name, 'view', render(model.sql, warehouse, instant))
    return { rows: undefined, content: undefined }
  },
}
