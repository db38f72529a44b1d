/** Identifiers in GHL's own shapes, so that a client which checks them meets the real thing. */
import { randomBytes, randomInt } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** 20 letters and digits: locations, companies, contacts, conversations, messages, users. */
export function documentId(): string {
  return Array.from({ length: 20 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')
}

/** 24 hex digits: apps, app versions, conversation providers, plans, refresh tokens. */
export function objectId(): string {
  return randomBytes(12).toString('hex')
}

/** An app's client id: its 24-hex id, a dash and eight characters. */
export function newClientId(): string {
  return `${objectId()}-${documentId().slice(0, 8).toLowerCase()}`
}

/** The app's id is the client id up to the dash. */
export function appIdOf(clientId: string): string {
  return clientId.split('-')[0] ?? clientId
}
