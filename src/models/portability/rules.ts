// Every rule, under the headings of the reference page.
import { clauseRules } from './clauses.ts'
import { aggregateFunctions } from './functions-aggregates.ts'
import { dateFunctions } from './functions-dates.ts'
import { nestedFunctions } from './functions-nested.ts'
import { textFunctions } from './functions-text.ts'
import { markRules } from './operators.ts'
import type { Rule } from './rule.ts'
import { literalRules, orderRules, partRules, shapeRules } from './special.ts'
import { typedRules } from './typed-rules.ts'
import { typeRules } from './types.ts'

export const ruleThemes: Readonly<Record<string, readonly Rule[]>> = {
  'Types in casts': typeRules,
  Operators: markRules,
  'Seen by their types': Object.values(typedRules),
  'Texts, names and numbers': Object.values(literalRules),
  Order: Object.values(orderRules),
  Clauses: [...Object.values(shapeRules), ...clauseRules],
  'Functions of texts and numbers': textFunctions,
  'Functions of dates and instants': [...dateFunctions, ...partRules],
  Aggregates: aggregateFunctions,
  'JSON, arrays and structs': nestedFunctions,
}
