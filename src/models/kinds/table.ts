// `kind: table`: the rows of the SELECT, made anew whenever something it reads changed.
// A first build takes no hash of its rows: nothing is there to compare it with. The build after it does, of the old rows and the new.
import { contentOf } from '../content.ts'
import { render, type BuildResult, type Kind, type Warehouse } from '../model.ts'
import { isTable, modelName, replaceRelation } from './replace.ts'

export const table: Kind<object> = {
  kind: 'table',
  header: (z) => z.object({}),
  build: async (model, { warehouse, instant }) => {
    const select = render(model.sql, warehouse, instant)
    const versions = warehouse.name({ schema: 'cdp', name: 'versions' })
    const where = `where relation = ${warehouse.literal(model.name)}`
    const [known] = (await isTable(warehouse, model.name))
      ? await warehouse.all<{ content: string | null }>(`select content from ${versions} ${where}`)
      : []
    if (known === undefined) {
      await replaceRelation(warehouse, model.name, 'table', select)
      return { rows: await countOf(warehouse, model.name), content: undefined }
    }
    if (known.content !== null) {
      await replaceRelation(warehouse, model.name, 'table', select)
      return comparedTo(known.content, warehouse, model.name)
    }
    const before = (await contentOf(warehouse, modelName(model.name))).text
    await warehouse.transaction(async () => {
      // Noted with the new rows or not at all: should the process die before the new version is saved, the old one still knows its content.
      await warehouse.run(`update ${versions} set content = ${warehouse.literal(before)} ${where}`)
      await replaceRelation(warehouse, model.name, 'table', select)
    })
    return comparedTo(before, warehouse, model.name)
  },
}

const comparedTo = async (before: string, warehouse: Warehouse, name: string): Promise<BuildResult> => {
  const { rows, text } = await contentOf(warehouse, modelName(name))
  return { rows, content: text, unchanged: text === before }
}

const countOf = async (warehouse: Warehouse, name: string): Promise<number> => {
  const [row] = await warehouse.all<{ n: number }>(`select count(*) as n from ${warehouse.name(modelName(name))}`)
  return row?.n ?? 0
}
