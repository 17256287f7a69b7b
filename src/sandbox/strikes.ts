// Asked by twins; apart from fault.ts so that a twin's import of the package loads no checker.
import type { Fault } from './fault.ts'

/** Whether the fault `rows` strikes this row, the `index`th of its request. */
export const strikes = (fault: Fault | undefined, row: unknown, index: number): boolean =>
  fault?.kind === 'rows' && (fault.match === undefined ? index === 0 : JSON.stringify(row).includes(fault.match))
