/** What the people of one location have decided about their bridge. */
import type { SessionId } from './ids.ts'

export interface LocationSettings {
  /** Groups come to GHL, one contact for each. Off: group messages are ignored, and counted. */
  readonly groups: boolean
  /** The thread says by which number a message came; only where the location has more than one. */
  readonly label: boolean
  /** The customer sees blue ticks once the agent has answered or has opened the conversation. Off: never. */
  readonly markRead: boolean
  /** An agent's message that is older than this when it reaches us is held for a person's word. 1 to 10080 (a week). */
  readonly holdAfterMinutes: number
  /** Every answer leaves by this number; null: by the one the person wrote to last. */
  readonly pinnedSessionId: SessionId | null
  /** So many days of history are imported at a pairing. 0 to 90. */
  readonly historyDays: number
}

/** What holds for a location that has decided nothing. */
export const DEFAULT_SETTINGS: LocationSettings = {
  groups: false,
  label: true,
  markRead: false,
  holdAfterMinutes: 60,
  pinnedSessionId: null,
  historyDays: 0,
}
