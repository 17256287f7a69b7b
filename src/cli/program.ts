// The commands and options of `cdp`, and how a failure becomes an exit code. It loads only the command that was asked for.
import { Command, CommanderError } from 'commander'
import { exitCodes } from '../core/errors.ts'
import { exitCodeOf, kindOfError } from '../core/exit.ts'
import { packageVersion } from '../core/package.ts'
import { commands, type CommandEntry, type CommandModule } from './commands.ts'
import { createOutput } from './output.ts'

const useColor = (): boolean =>
  process.env['NO_COLOR'] === undefined && !process.argv.includes('--no-color') && process.stderr.isTTY

/** Does what the arguments say; the exit code. */
export const runProgram = async (): Promise<number> => {
  const program = new Command('cdp')
    .description('A customer data platform in your warehouse: land sources, build SQL models, sync audiences.')
    .version(packageVersion())
    .option('-p, --project <folder>', 'the project, where cdp.config.ts is', '.')
    .option('-t, --target <name>', 'the warehouse to work on (default: the first of the project)')
    .option('--dev <name>', 'write to datasets of your own, and read what is landed in the target (BigQuery)')
    .option('--wait <time>', 'how long to wait for a warehouse that another program holds', '10s')
    .option('--json', 'NDJSON on stdout also on a terminal')
    .option('-q, --quiet', 'no talk on stderr')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      `\nA first project:  cdp init my-project && cd my-project && cdp run && cdp plan\nHelp on a command:  cdp <command> --help\nExit codes: 0 done · 1 bug · 2 usage or config · 3 data · 4 auth · 5 transient · 130 interrupted`,
    )
  let code = 0
  const entryOf = new Map<Command, CommandEntry>()
  for (const [name, entry] of Object.entries(commands)) {
    entryOf.set(program.command(name).summary(entry.summary).description(entry.summary), entry)
  }
  // Options are read once it is known which command is meant: a folder or a selector may be called `run` too.
  const load = async (command: Command): Promise<void> => {
    const module: CommandModule | undefined = await entryOf.get(command)?.load()
    module?.define(command, async (work) => {
      code = await work(program.opts())
    })
  }
  program.hook('preSubcommand', (_, command) => load(command))
  program
    .command('help')
    .argument('[command]')
    .summary('help on a command')
    .action(async (name: string | undefined) => {
      const found = program.commands.find((command) => command.name() === name)
      if (found !== undefined) await load(found)
      else if (name !== undefined) program.error(`error: unknown command '${name}'`)
      ;(found ?? program).help()
    })
  try {
    await program.parseAsync()
    return code
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : exitCodes.usage
    const opts = program.opts<{ json?: boolean; quiet?: boolean }>()
    createOutput(process, { json: opts.json === true, quiet: false, color: useColor() }).error(thrown)
    return exitCodeOf(kindOfError(thrown))
  }
}
