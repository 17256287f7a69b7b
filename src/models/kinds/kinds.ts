// The kinds of models. Each is loaded when the first model of it is compiled or built, and not before.
import type { Kind, ModelKind } from '../model.ts'

const loaders: Readonly<Record<ModelKind, () => Promise<Kind>>> = {
  view: async () => (await import('./view.ts')).view,
  table: async () => (await import('./table.ts')).table,
  incremental: async () => (await import('./incremental.ts')).incremental,
  identity: async () => (await import('./identity.ts')).identity,
  profile: async () => (await import('./profile.ts')).profile,
  segment: async () => (await import('./segment.ts')).segment,
}

export const loadKind = (kind: ModelKind): Promise<Kind> => loaders[kind]()
