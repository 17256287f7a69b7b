#!/usr/bin/env node
// The `cdp` program, and the only place that ends the process. Help alone is a text made when the package was built, since whoever asks
// for it should not wait for a parser of options to load.
import { existsSync, readFileSync } from 'node:fs'

// A reader that goes away (`cdp query … | head`) is no fault; without one for the talk, the work goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const madeHelp = new URL('help.txt', import.meta.url)
const [first, ...more] = process.argv.slice(2)
const onlyHelp = (first === '--help' || first === '-h') && more.length === 0 && existsSync(madeHelp)

let code = 0
if (onlyHelp) process.stdout.write(readFileSync(madeHelp, 'utf8'))
else code = await (await import('./program.ts')).runProgram()

// Whatever is still open (a keep-alive socket, a database thread) must not hold the process; what was written must be out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
