// What there is: datasets, relations and their columns, by the API's metadata calls, which cost nothing and are no jobs.
import { engineRelations } from '../relations.ts'
import { columnType } from '../statements.ts'
import type { Schema } from '../warehouse.ts'
import type { Api } from './api.ts'
import { restError } from './errors.ts'
import type { Labels } from './labels.ts'
import { type ColumnTypes } from './parameters.ts'
import { typeText, type Field } from './schema.ts'
import type { StoredName } from './scratch.ts'
import type { Target } from './settings.ts'
import { typeName } from './text.ts'

export interface Catalog {
  relations(schema: Schema): Promise<readonly { readonly name: string; readonly isView: boolean }[]>
  /** Undefined when there is no such relation. */
  fields(relation: StoredName): Promise<readonly Field[] | undefined>
  /** Of a relation as a statement names it; undefined when it is none of the three datasets'. */
  columnTypes(path: readonly string[]): Promise<ColumnTypes | undefined>
  /** A table that removes itself after a day, should nobody live to do it. */
  createStaging(name: string, fields: readonly Field[]): Promise<void>
  drop(name: string): Promise<void>
}

/** Names of staging and work tables, which are nobody's relation. */
export const stagingPrefix = '_load_'
export const scratchPrefix = '_scratch_'

interface TableList {
  readonly tables?: readonly { readonly tableReference: { readonly tableId: string }; readonly type: string }[]
  readonly nextPageToken?: string | null
}

const dayMs = 86_400_000

export const createCatalog = (api: Api, target: Target, now: () => number, labels: () => Labels): Catalog => {
  const tables = (schema: Schema): string => `/datasets/${target.datasets[schema]}/tables`

  const fields = async ({ schema, name }: StoredName): Promise<readonly Field[] | undefined> => {
    const own = schema === 'cdp' ? engineFields(name) : undefined
    if (own) return own
    try {
      const path = `${tables(schema)}/${encodeURIComponent(name)}`
      const found = await api.request<{ schema?: { fields?: readonly Field[] } }>({ path })
      return found.schema?.fields ?? []
    } catch (error) {
      if (restError(error).status === 404) return undefined
      throw error
    }
  }

  return {
    fields,
    relations: async (schema) => {
      const found: { name: string; isView: boolean }[] = []
      try {
        let pageToken: string | undefined
        do {
          const page = await api.request<TableList>({ path: tables(schema), query: { maxResults: 1000, pageToken } })
          for (const { tableReference, type } of page.tables ?? []) {
            const name = tableReference.tableId
            if (!name.startsWith(stagingPrefix) && !name.startsWith(scratchPrefix))
              found.push({ name, isView: type.endsWith('VIEW') })
          }
          pageToken = page.nextPageToken ?? undefined
        } while (pageToken)
      } catch (error) {
        if (restError(error).status !== 404) throw error
      }
      return found.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
    columnTypes: async (path) => {
      const [name, dataset, project] = path.toReversed()
      const schemas = ['raw', 'models', 'cdp'] as const
      // As `raw.t` is written, its dataset may be called otherwise.
      const schema =
        dataset === undefined
          ? 'models'
          : (schemas.find((one) => target.datasets[one] === dataset) ??
            schemas.find((one) => project === undefined && one === dataset))
      if (name === undefined || schema === undefined || (project ?? target.project) !== target.project) return undefined
      const found = await fields({ schema, name })
      return found && new Map(found.map((field) => [field.name.toLowerCase(), typeText(field)]))
    },
    createStaging: async (name, staged) => {
      const tableReference = { projectId: target.project, datasetId: target.datasets.cdp, tableId: name }
      const body = {
        tableReference,
        schema: { fields: staged },
        expirationTime: String(now() + dayMs),
        labels: labels(),
      }
      try {
        await api.request({ method: 'POST', path: tables('cdp'), body })
      } catch (error) {
        // Its answer was lost the first time.
        if (restError(error).status !== 409) throw error
      }
    },
    drop: async (name) => {
      await api.request({ method: 'DELETE', path: `${tables('cdp')}/${name}` }).catch(() => undefined)
    },
  }
}

const engineFields = (name: string): readonly Field[] | undefined => {
  const relation = Object.entries(engineRelations).find(([known]) => known === name)?.[1]
  return (
    relation &&
    Object.entries<string>(relation.columns).map(([column, declared]) => ({
      name: column,
      type: typeName(columnType(declared)),
      mode: declared.endsWith('?') ? 'NULLABLE' : 'REQUIRED',
    }))
  )
}
