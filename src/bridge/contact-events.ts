/**
 * What happens to contacts and conversations in GHL, as its app events tell. Each may come late, twice or never: everything
 * here is found out again when a message next meets it, so an event only makes it sooner.
 *
 * A changed phone number changes nothing: the chat belongs to the person who writes, and the agent's replies go there. Of a
 * person who has never written it counts with the next delivery, which carries it (contacts.ts).
 */
import type { GhlContactId, LocationId } from '../core/ids.ts'
import type { EventHandler } from './app-events.ts'
import { type ReadStateDeps, seenInGhl } from './read-state.ts'
import type { ContactStore } from './storage/contacts.ts'

export interface ContactEvent {
  /** GHL's word. */
  readonly type: string
  readonly locationId: LocationId | undefined
  readonly ghlContactId: GhlContactId | undefined
  readonly sentAt: Date | undefined
  readonly payload: Readonly<Record<string, unknown>>
}

export interface ContactEventDeps extends ReadStateDeps {
  readonly contacts: Pick<ContactStore, 'unlinkGhl'>
}

/** What to do for the events of contacts and conversations, by GHL's word. */
export function contactHandlers(deps: ContactEventDeps): Readonly<Record<string, EventHandler>> {
  const handle: EventHandler = async (event) => {
    await acceptContactEvent(deps, event)
    return 'processed'
  }
  return { ContactDelete: handle, ConversationUnreadUpdate: handle, ConversationUnreadWebhook: handle }
}

/** Safe to call any number of times. @throws {StoreError} `STORE_UNAVAILABLE`: it is tried again. */
export async function acceptContactEvent(deps: ContactEventDeps, event: ContactEvent): Promise<void> {
  const { type, locationId, ghlContactId } = event
  if (locationId === undefined || ghlContactId === undefined) return
  switch (type) {
    case 'ContactDelete':
      await deps.contacts.unlinkGhl(locationId, ghlContactId)
      return
    case 'ConversationUnreadUpdate':
    case 'ConversationUnreadWebhook':
      if (event.payload['unreadCount'] === 0)
        await seenInGhl(deps, { locationId, ghlContactId, until: event.sentAt ?? new Date() })
      return
    default:
  }
}
