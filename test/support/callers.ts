import { randomBytes } from 'node:crypto'
import type { CallerDeps } from '../../src/http/auth.ts'
import { createConsoleTokens } from '../../src/http/console-token.ts'
import { createPageTokens } from '../../src/http/page-token.ts'
import type { AccountDeps } from '../../src/http/server.ts'

/** A bridge that nobody but its operator can call. */
export const onlyOperator = (apiKey: string): CallerDeps => ({
  apiKey,
  consoleTokens: createConsoleTokens([randomBytes(32).toString('base64')], apiKey),
  pageTokens: createPageTokens([randomBytes(32).toString('base64')], undefined),
  openPageUser: () => undefined,
  findServiceKey: () => Promise.resolve(undefined),
})

/** For tests whose requests never come to the routes of installations and tokens. */
export const notReached = {} as AccountDeps // nothing is read of it before such a request
