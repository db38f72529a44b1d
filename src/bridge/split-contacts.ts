/** People who exist twice, and how to join them: a report for whoever looks after the contacts of a location. */
import { type GhlContactId, type LocationId, phoneOfPn } from '../core/ids.ts'
import type { GhlContacts, SplitContact, SplitDesk, SplitPerson } from './ports.ts'
import type { Contact, ContactStore } from './storage/contacts.ts'

/** One look at GHL for each GHL contact that may be gone: a report must not use up the location's allowance. */
const MOST_LOOKS = 50

const MERGE =
  'and merge them in GHL (Contacts, select both, Merge). The chat goes on in the one that is left by itself.'

export function createSplitDesk(deps: {
  readonly contacts: Pick<ContactStore, 'listSplit'>
  readonly ghlContacts: Pick<GhlContacts, 'exists'>
}): SplitDesk {
  const lookedAt = (locationId: LocationId) => {
    const seen = new Map<GhlContactId, boolean>()
    return async (id: GhlContactId): Promise<boolean> => {
      const known = seen.get(id)
      if (known !== undefined) return known
      // What was not looked at is shown: better once too often.
      const lives = seen.size >= MOST_LOOKS || (await deps.ghlContacts.exists(locationId, id))
      seen.set(id, lives)
      return lives
    }
  }

  return {
    async list(locationId) {
      const { several, shared, moved, held } = await deps.contacts.listSplit(locationId)
      const lives = lookedAt(locationId)
      const split: SplitContact[] = []
      for (const { contact, holder } of held) {
        if (await lives(holder)) split.push(heldBy(contact, holder))
      }
      for (const { contact, others } of several) {
        const living: GhlContactId[] = []
        for (const other of others) if (await lives(other)) living.push(other)
        if (contact.ghlContactId !== undefined && living.length > 0) split.push(severalOf(contact, living))
      }
      split.push(...shared.map(({ ghlContactId, contacts }) => sharedBy(ghlContactId, contacts)))
      split.push(...moved.map(({ former, owner }) => movedFrom(former, owner)))
      return split
    },
  }
}

const personOf = (contact: Contact): SplitPerson => ({
  contactId: contact.contactId,
  lid: contact.lid ?? null,
  phoneNumber: contact.pn === undefined ? null : phoneOfPn(contact.pn),
  pushName: contact.pushName ?? null,
  ghlContactId: contact.ghlContactId ?? null,
})

const nameOf = ({ pushName, pn }: Contact): string =>
  pushName ?? (pn === undefined ? 'A person without a known number' : phoneOfPn(pn))

const idsOf = (contact: Contact, others: readonly GhlContactId[]): GhlContactId[] => [
  ...(contact.ghlContactId === undefined ? [] : [contact.ghlContactId]),
  ...others,
]

function heldBy(contact: Contact, holder: GhlContactId): SplitContact {
  return {
    kind: 'number_elsewhere',
    people: [personOf(contact)],
    ghlContactIds: idsOf(contact, [holder]),
    message: `${nameOf(contact)} writes in a contact without a number, and another GHL contact has the number.`,
    action: `Open both ${MERGE}`,
  }
}

function severalOf(contact: Contact, others: readonly GhlContactId[]): SplitContact {
  return {
    kind: 'several_ghl_contacts',
    people: [personOf(contact)],
    ghlContactIds: idsOf(contact, others),
    message: `${nameOf(contact)} is one person on WhatsApp and has ${others.length + 1} contacts in GHL; the chat is in the first.`,
    action: `Open them ${MERGE}`,
  }
}

function sharedBy(ghlContactId: GhlContactId, contacts: readonly Contact[]): SplitContact {
  return {
    kind: 'shared_ghl_contact',
    people: contacts.map(personOf),
    ghlContactIds: [ghlContactId],
    message: `${contacts.map(nameOf).join(' and ')} are different accounts on WhatsApp and write in one GHL contact.`,
    action:
      'If it is one person with a new account, nothing is to be done. If not, give the contact the number of the person it is for; answers go to who wrote last.',
  }
}

function movedFrom(former: Contact, owner: Contact): SplitContact {
  return {
    kind: 'number_moved',
    people: [personOf(former), personOf(owner)],
    ghlContactIds: [...new Set([...idsOf(former, []), ...idsOf(owner, [])])],
    message: `The number of ${nameOf(owner)} belonged to another WhatsApp account (${nameOf(former)}) before.`,
    action:
      'If it is the same person with a new account, merge the contacts in GHL if there are two. If the number has a new owner, take it off the former one’s contact.',
  }
}
