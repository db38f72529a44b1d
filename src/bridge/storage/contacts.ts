/** People and groups of a location. Its promises: messages.ts. */
import type {
  ChatJid,
  ContactId,
  GhlContactId,
  GhlMessageId,
  LidJid,
  LocationId,
  PnJid,
  SessionId,
} from '../../core/ids.ts'

/** A person or group of one location; LID and PN joined here and nowhere else. */
export interface Contact {
  readonly contactId: ContactId
  readonly locationId: LocationId
  readonly lid: LidJid | undefined
  readonly pn: PnJid | undefined
  /** The address to answer to: the form WhatsApp used last. */
  readonly chat: ChatJid | undefined
  readonly pushName: string | undefined
  readonly ghlContactId: GhlContactId | undefined
  /** The number of ours that the person wrote to last. */
  readonly lastSessionId: SessionId | undefined
  /** The last message filed in GHL for a person without a live GHL contact: it tells where GHL has merged him. */
  readonly lastFiled?: GhlMessageId
}

/** What a GHL contact lacks because WhatsApp had not told it when the contact was made. */
export interface Owed {
  readonly owesPhone: boolean
  readonly owesName: boolean
}

export interface SplitContacts {
  /** One person, and other GHL contacts that were his; they may be gone. */
  readonly several: readonly { readonly contact: Contact; readonly others: readonly GhlContactId[] }[]
  /** Several people with one GHL contact. */
  readonly shared: readonly { readonly ghlContactId: GhlContactId; readonly contacts: readonly Contact[] }[]
  /** A number that came with another LID than before. */
  readonly moved: readonly { readonly former: Contact; readonly owner: Contact }[]
  /** A person whose number is on another GHL contact than his thread. */
  readonly held: readonly { readonly contact: Contact; readonly holder: GhlContactId }[]
}

export interface ContactStore {
  /**
   * Joins our contact with its GHL contact; also replaces a dead GHL id after a merge. What it still owes the GHL contact
   * becomes a job as soon as it is known.
   */
  linkGhl(contactId: ContactId, ghlContactId: GhlContactId, owed?: Partial<Owed>): Promise<void>
  /** Forgets a GHL contact that GHL says is gone, so that it is looked up again. */
  unlinkGhl(locationId: LocationId, ghlContactId: GhlContactId): Promise<void>
  /**
   * Joins a GHL contact with an address found on WhatsApp and returns the contact, new or known. A person who has a GHL
   * contact keeps it; the other one is remembered beside it.
   */
  settle(
    locationId: LocationId,
    person: { chat: ChatJid; alt?: ChatJid; ghlContactId: GhlContactId },
  ): Promise<Contact>
  /** WhatsApp says which number belongs to which LID: joins the people we have met. Answers how many were joined. */
  learn(locationId: LocationId, pairs: readonly { lid: LidJid; pn: PnJid }[]): Promise<number>
  /** What can be paid now; `undefined` for nothing. */
  findOwed(contactId: ContactId): Promise<({ readonly contact: Contact } & Owed) | undefined>
  /** @param phoneHolder the other GHL contact that has the number already. */
  recordPaid(
    contactId: ContactId,
    ghlContactId: GhlContactId,
    paid: Owed & { readonly phoneHolder?: GhlContactId },
  ): Promise<void>
  /** People who exist twice, or may, newest first, at most 500 of each kind. */
  listSplit(locationId: LocationId): Promise<SplitContacts>
}
