// One call of a connector and what its answer means: outcomes row by row, a refusal of the whole batch that is split to find the rows at
// fault, or something thrown.
import type { CdpError } from '../core/errors.ts'
import { connectorFault, type Delivery, type Item, thrownBy } from './delivery.ts'
import type { Outcome } from './destination.ts'

export interface Answer {
  readonly item: Item
  readonly call: number
  /** undefined: the call was not made, or nothing was processed and the sync has stopped. */
  readonly outcome: Outcome | undefined
}

const statuses: ReadonlySet<string> = new Set(['delivered', 'rejected', 'retry', 'unknown', 'pending'])

/** Whether it is a list of as many well-formed outcomes. */
export const areOutcomes = (value: unknown, count: number): value is readonly Outcome[] =>
  Array.isArray(value) &&
  value.length === count &&
  value.every((one) => typeof one === 'object' && one !== null && statuses.has((one as Outcome).status))

const isRefusal = (result: unknown): result is { readonly refused: string } =>
  typeof result === 'object' && result !== null && 'refused' in result && typeof result.refused === 'string'

const misfit = (result: unknown, count: number): string =>
  Array.isArray(result) && result.length !== count
    ? `it gave ${result.length} outcomes for ${count} changes`
    : 'it gave something that is no list of outcomes'

/** Sends the items, splitting a batch that is refused whole. */
export const send = async (delivery: Delivery, items: readonly Item[]): Promise<Answer[]> => {
  const first = await callOnce(delivery, items)
  if (first.refused === undefined) return first.answers
  return isolate(delivery, items, first.call, first.refused)
}

interface Called {
  readonly call: number
  readonly answers: Answer[]
  readonly refused: string | undefined
}

const callOnce = async (delivery: Delivery, items: readonly Item[]): Promise<Called> => {
  const { writer, journal, message, seam } = delivery
  const changes = items.map((item) => item.change)
  try {
    await delivery.pace.take(delivery.halt)
  } catch (error) {
    if (!delivery.halt.aborted) throw error
  }
  const call = delivery.tally.calls + 1
  const all = (outcome: Outcome | undefined): Called => ({
    call,
    answers: items.map((item) => ({ item, call, outcome })),
    refused: undefined,
  })
  if (delivery.halt.aborted) return all(undefined)
  delivery.tally.calls = call
  if (message) {
    for (const item of items) journal.intent(item.n, call)
    await journal.flush()
  }
  seam('call')
  let result: unknown
  try {
    result = await writer.write(changes, delivery.context(changes))
  } catch (thrown) {
    return all(outcomeOfThrown(delivery, thrownBy(delivery, thrown)))
  } finally {
    seam('answer')
  }
  if (areOutcomes(result, items.length)) {
    return { call, answers: items.map((item, at) => ({ item, call, outcome: result[at] })), refused: undefined }
  }
  if (isRefusal(result)) return { call, answers: [], refused: result.refused }
  const found = misfit(result, items.length)
  delivery.faults.push(connectorFault(delivery, found))
  return all({ status: 'unknown', reason: `the connector's answer does not fit: ${found}` })
}

// A refused credential processed nothing. Of anything else that is thrown nobody knows how far the vendor came.
const outcomeOfThrown = (delivery: Delivery, error: CdpError): Outcome | undefined => {
  const { message } = delivery
  if (error.kind === 'transient') {
    return message ? { status: 'unknown', reason: error.message } : { status: 'retry', reason: error.message }
  }
  delivery.stop(error)
  if (error.kind === 'auth') return message ? { status: 'retry', reason: error.message } : undefined
  if (error.kind === 'bug' || message) return { status: 'unknown', reason: error.message }
  return undefined
}

// A part that was not sent any more belongs to a call that was refused: nothing of it was processed, and for a message that is said.
const halted = (delivery: Delivery, answer: Answer): Answer =>
  answer.outcome === undefined && delivery.message
    ? { ...answer, outcome: { status: 'retry', reason: 'the run ended before it was sent again' } }
    : answer

/**
 * Halves a refused batch until the rows at fault are alone. At most 2·⌈log2 n⌉·5 further calls, enough for five such rows anywhere in it;
 * what is then still refused together is rejected together.
 */
const isolate = async (
  delivery: Delivery,
  items: readonly Item[],
  call: number,
  refused: string,
): Promise<Answer[]> => {
  const answers: Answer[] = []
  const reject = (part: readonly Item[], by: number, reason: string): void => {
    for (const item of part) answers.push({ item, call: by, outcome: { status: 'rejected', reason } })
  }
  if (items.length === 1) {
    reject(items, call, refused)
    return answers
  }
  let budget = 2 * Math.ceil(Math.log2(items.length)) * 5
  const halves = (part: readonly Item[]): (readonly Item[])[] => {
    const middle = Math.ceil(part.length / 2)
    return [part.slice(0, middle), part.slice(middle)]
  }
  const open = halves(items).toReversed()
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (budget === 0) {
      reject(part, call, `batch refused, row not isolated: ${refused}`)
      continue
    }
    budget -= 1
    const result = await callOnce(delivery, part)
    if (result.refused === undefined) answers.push(...result.answers.map((answer) => halted(delivery, answer)))
    else if (part.length === 1) reject(part, result.call, result.refused)
    else open.push(...halves(part).toReversed())
  }
  return answers
}
