// What this version knows, apart from the migrations and the functions themselves: opening a warehouse that is current loads neither.

/** The number of the newest migration. */
export const stateVersion = 2

/** Of the statements that install the `cdp.*` functions; a test says the right one when they changed. */
export const bigqueryFunctionsFingerprint = '957dcb5f163481ef'
export const functionsFingerprint = 'cf95798f7b5c61bf'
