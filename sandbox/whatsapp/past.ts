// A past that an account had before its companion was linked: only its own phone knows it, and gives it as history.
import type { Addressing } from './directory.ts'
import type { OutgoingContent } from './kinds.ts'

export interface PastMessage extends OutgoingContent {
  readonly at: Date
  /** Phone number of who said it. Defaults to the other side of the chat, in a group to its creator. */
  readonly from?: string
  readonly id?: string
}

export interface PastChat {
  /** Phone number, or a group's JID. */
  readonly chat: string
  readonly addressing?: Addressing
  readonly messages: readonly PastMessage[]
}
