// Run events as talk on stderr: one live line on a terminal, one line a finished step in a log.
import { formatDuration } from '../core/clock.ts'
import type { Emit, RunEvent } from '../core/events.ts'
import type { Output } from './output.ts'

const bar = (share: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, share)) * 20)
  return `${'█'.repeat(full)}${'░'.repeat(20 - full)}`
}

export interface Progress {
  readonly emit: Emit
  /** Clears the live line. */
  end(): void
}

/** Long work shows a bar where its size is known, else a count. Steps that were unchanged are not worth a line. */
export const createProgress = (output: Output): Progress => {
  let live = false
  const running = new Map<string, string>()
  const clear = (): void => {
    if (live) output.raw('\r\u001B[K')
    live = false
  }
  const draw = (): void => {
    clear()
    const text = [...running.values()].join('   ')
    if (text === '') return
    output.raw(text.length > 118 ? `${text.slice(0, 117)}…` : text)
    live = true
  }
  const talk = (text: string): void => {
    clear()
    output.note(text)
    if (output.isTerminal) draw()
  }
  const emit = (event: RunEvent): void => {
    switch (event.type) {
      case 'step-started':
        running.set(event.step, `${event.kind} ${event.step}`)
        break
      case 'progress': {
        const amount = event.total === undefined ? '' : ` ${bar(event.done / Math.max(1, event.total))}`
        const of = event.total === undefined ? '' : `/${event.total.toLocaleString('en-US')}`
        const note = event.note === undefined ? '' : ` ${event.note}`
        running.set(
          event.step,
          `${event.step}${amount} ${event.done.toLocaleString('en-US')}${of} ${event.unit}${note}`,
        )
        break
      }
      case 'step-finished': {
        running.delete(event.step)
        if (event.status === 'failed') talk(`✗ ${event.kind} ${event.step}: ${event.detail ?? 'failed'}`)
        else if (event.status !== 'unchanged' && !output.isTable) {
          const rows =
            event.rows === undefined
              ? ''
              : ` ${event.rows.toLocaleString('en-US')} ${event.rows === 1 ? 'row' : 'rows'}`
          const detail = event.detail === undefined || event.detail === '' ? '' : ` (${event.detail})`
          talk(
            `${event.status === 'warned' ? '!' : '✓'} ${event.kind} ${event.step}${rows}${detail} ${formatDuration(event.ms)}`,
          )
        }
        break
      }
      case 'warning':
        talk(
          `! ${event.step === undefined || event.message.startsWith(event.step) ? '' : `${event.step}: `}${event.message}${event.hint === undefined ? '' : ` — ${event.hint}`}`,
        )
        break
    }
    if (output.isTerminal) draw()
  }
  return { emit, end: clear }
}
