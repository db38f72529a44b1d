/** Places and people that are handed on. */
import type { proto } from '@whiskeysockets/baileys'
import { lines, PHRASES } from '../bridge/sentences.ts'
import type { ContactCard } from '../core/message.ts'
import { type Content, lineOf, linesOf, listOf, notice, numberOf, positiveOf, textOf } from './content.ts'

export function fromLocation(location: proto.Message.ILocationMessage | null | undefined): Content {
  return place(location?.isLive ? 'liveLocationMessage' : 'locationMessage', {
    ...location,
    isLive: location?.isLive === true,
  })
}

/** Each update of the position comes as a message of its own. */
export function fromLiveLocation(location: proto.Message.ILiveLocationMessage | null | undefined): Content {
  return place('liveLocationMessage', { ...location, comment: location?.caption ?? null, isLive: true })
}

function place(
  waKind: string,
  spot: Omit<proto.Message.ILocationMessage, 'isLive'> & { isLive: boolean },
): Content {
  const latitude = numberOf(spot.degreesLatitude)
  const longitude = numberOf(spot.degreesLongitude)
  const name = lineOf(spot.name)
  const address = lineOf(spot.address)
  const comment = textOf(spot.comment)
  const isOnEarth = Math.abs(latitude ?? Infinity) <= 90 && Math.abs(longitude ?? Infinity) <= 180
  if (latitude === undefined || longitude === undefined || !isOnEarth) {
    const what = spot.isLive ? PHRASES.liveLocation : PHRASES.location
    return notice(waKind, linesOf(lines.other(what), name, address, comment))
  }
  const accuracyMeters = positiveOf(spot.accuracyInMeters)
  return {
    kind: 'location',
    latitude,
    longitude,
    ...(accuracyMeters !== undefined && { accuracyMeters }),
    ...(name !== undefined && { name }),
    ...(address !== undefined && { address }),
    ...(comment !== undefined && { comment }),
    ...(spot.isLive && { isLive: true }),
  }
}

export function fromContact(contact: proto.Message.IContactMessage | null | undefined): Content {
  return cards('contactMessage', [contact ?? {}], contact?.displayName)
}

export function fromContacts(contacts: proto.Message.IContactsArrayMessage | null | undefined): Content {
  return cards('contactsArrayMessage', listOf(contacts?.contacts), contacts?.displayName)
}

function cards(
  waKind: string,
  contacts: readonly proto.Message.IContactMessage[],
  title: string | null | undefined,
): Content {
  const readable = contacts.flatMap(({ displayName, vcard }): ContactCard[] => {
    const name = lineOf(displayName)
    const text = textOf(vcard)
    if (text === undefined && name === undefined) return []
    return [{ ...(name !== undefined && { name }), vcard: text ?? '' }]
  })
  if (readable.length > 0) return { kind: 'contacts', cards: readable }
  const name = lineOf(title)
  return notice(waKind, lines.other(name === undefined ? PHRASES.contact : `${PHRASES.contact} (${name})`))
}
