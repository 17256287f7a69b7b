// `cdp sandbox`: the vendors' stand-ins on loopback.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandModule } from '../commands.ts'
import { createContext } from '../context.ts'

export const define: CommandModule['define'] = (command, act) => {
  command
    .option('--port <port>', 'the port on 127.0.0.1; 0 takes a free one', '8474')
    .addHelpText(
      'after',
      `
Serves stand-ins that behave like the vendors, so that a sync can be tried without credentials. Point a connector's baseUrl
(or a webhook's url) at it and open the page to see what each vendor holds. Faults can be switched on: see docs/sandbox.md.

Example:
  cdp sandbox &
  HUBSPOT_URL=http://127.0.0.1:8474/hubspot HUBSPOT_TOKEN=any cdp sync`,
    )
    .action((flags: { port: string }) =>
      act(async (globals) => {
        const context = createContext(globals)
        const { discoverTwins, startSandbox } = await import('../../sandbox/server.ts')
        const twins = await discoverTwins([
          fileURLToPath(new URL('../../../connectors/', import.meta.url)),
          join(context.root, 'connectors'),
        ])
        const sandbox = await startSandbox({ port: Number(flags.port), twins })
        context.output.story(
          `Sandbox at ${sandbox.url}\n${twins.map((t) => `  ${t.name.padEnd(12)} ${sandbox.url}/${t.name}`).join('\n')}`,
          {
            url: sandbox.url,
            vendors: twins.map((t) => t.name),
          },
        )
        await new Promise<void>((stop) => context.signal.addEventListener('abort', () => stop(), { once: true }))
        await sandbox.close()
        return 0
      }),
    )
}
