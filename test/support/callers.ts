import type { CallerDeps } from '../../src/http/auth.ts'

/** A bridge that nobody but its operator can call. */
export const onlyOperator = (apiKey: string): CallerDeps => ({
  apiKey,
  readPageToken: () => undefined,
  findServiceKey: () => Promise.resolve(undefined),
})
