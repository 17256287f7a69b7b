// `cdp check`: every problem at once, and nothing is changed.
import type { CommandModule } from '../commands.ts'
import { createContext, type Context } from '../context.ts'
import { isCdpError, Problems } from '../../core/errors.ts'
import { checkProject } from '../../project/check.ts'
import { loadProject } from '../../project/load.ts'
import { instantOf } from '../../run/options.ts'
import { sniffStream } from '../../run/sniff.ts'
import { checkSchedule } from '../../run/schedule.ts'
import type { Warehouse } from '../../warehouse/warehouse.ts'

export const define: CommandModule['define'] = (command, act) => {
  command
    .addHelpText(
      'after',
      `
Loads the configuration, every model and every sync; has the engine itself prepare every compiled model; holds syncs against the
columns that come out. Where the project's warehouses are of two engines, names all SQL that is not common to both, with the portable
spelling (docs/portability.md). Needs no secret and changes nothing. Problems are shown together, with file and line; any exits 2.`,
    )
    .action(() =>
      act(async (globals) => {
        const context = createContext(globals)
        const { compiled, modelFiles, engines, modelsFolder } = await loadProject(context.root, globals.target)
        const warehouse = await openIfThere(context)
        try {
          const checked = await checkProject({
            project: compiled,
            modelFiles,
            engines,
            folder: modelsFolder,
            warehouse,
            sniff: async (id) => {
              const stream = compiled.streams.find((one) => one.id === id)
              return stream && sniffStream(compiled, stream, context.clock)
            },
            instant: instantOf(undefined, context.clock),
          })
          const problems = [...checked.problems, ...checkSchedule(compiled, 'cdp.config.ts')]
          if (problems.length > 0) throw new Problems(problems)
          for (const note of checked.notes) context.output.note(`! ${note.file} ${note.message}`)
          context.output.story(
            `Good: ${compiled.streams.length} streams, ${compiled.models.length} models, ${compiled.syncs.length} syncs.`,
            {
              streams: compiled.streams.length,
              models: compiled.models.length,
              syncs: compiled.syncs.length,
              not_prepared: checked.notes.length,
            },
          )
          return 0
        } finally {
          await warehouse?.close()
        }
      }),
    )
}

// The warehouse knows the types of what has landed. A check works without it: it may not be there yet, or its secret may not be set.
const openIfThere = async (context: Context): Promise<Warehouse | undefined> => {
  try {
    return await context.openWarehouse('read')
  } catch (thrown) {
    if (!isCdpError(thrown)) throw thrown
    context.output.note(`The warehouse was not asked for the columns of landed data: ${thrown.message}`)
    return undefined
  }
}
