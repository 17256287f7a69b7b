// The rows of every portable function.
import type { Rows } from './engine.ts'
import { casts } from './rows/casts.ts'
import { dates } from './rows/dates.ts'
import { numbers } from './rows/numbers.ts'
import { phone } from './rows/phone.ts'
import { text } from './rows/text.ts'
import { values } from './rows/values.ts'

export const allRows: Rows = { ...values, ...text, ...phone, ...casts, ...dates, ...numbers }
