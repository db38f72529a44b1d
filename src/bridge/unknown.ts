/** Refusals of what is asked for by an id that nothing has, in the caller's reach. */
import { RequestError } from '../core/errors.ts'

const SESSIONS_LISTED = { action: 'GET /ghl/location/:locationId/session lists its numbers.' }

/** The location has no number with this id; another location's is as unknown as none. */
export const sessionUnknown = (message = 'This location has no such session'): RequestError =>
  new RequestError('SESSION_UNKNOWN', message, SESSIONS_LISTED)

/** Another location's message is as unknown as none. */
export const messageUnknown = (): RequestError =>
  new RequestError('MESSAGE_UNKNOWN', 'There is no such message', {
    action: 'GET /api/messages lists them.',
  })
