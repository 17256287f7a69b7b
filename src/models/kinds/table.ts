// `kind: table`: the rows of the SELECT, made anew whenever something it reads changed.
// A first build takes no hash of its rows: nothing is there to compare it with. The build after it does, of the old rows and the new.
import { contentOf } from '../content.ts'
import { render, type Kind, type Warehouse } from '../model.ts'
import { layoutColumns, layoutKeys, layoutOf, type LayoutHeader } from './layout.ts'
import { isTable, modelName, replaceRelation } from './replace.ts'

export const table: Kind<LayoutHeader> = {
  kind: 'table',
  header: (z) => z.object(layoutKeys(z)),
  requires: layoutColumns,
  build: async (model, { warehouse, instant }) => {
    const select = render(model.sql, warehouse, instant)
    const replace = async (): Promise<void> =>
      replaceRelation(warehouse, model.name, 'table', select, await layoutOf(model, warehouse, select))
    const versions = warehouse.name({ schema: 'cdp', name: 'versions' })
    const where = `where relation = ${warehouse.literal(model.name)}`
    const [known] = (await isTable(warehouse, model.name))
      ? await warehouse.all<{ content: string | null }>(`select content from ${versions} ${where}`)
      : []
    if (known === undefined) {
      await replace()
      return { rows: await countOf(warehouse, model.name), content: undefined }
    }
    let before = known.content
    if (before === null) {
      before = (await contentOf(warehouse, modelName(model.name))).text
      // Noted before the rows change: should the process die before the new version is saved, the old one still knows its content.
      await warehouse.run(`update ${versions} set content = ${warehouse.literal(before)} ${where}`)
    }
    await replace()
    const { rows, text } = await contentOf(warehouse, modelName(model.name))
    return { rows, content: text, unchanged: text === before }
  },
}

const countOf = async (warehouse: Warehouse, name: string): Promise<number> => {
  const [row] = await warehouse.all<{ n: number }>(`select count(*) as n from ${warehouse.name(modelName(name))}`)
  return row?.n ?? 0
}
