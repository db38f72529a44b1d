// Public Signal keys as stanzas: what a companion uploads, and the bundles others fetch.
import type { BinaryNode } from '@whiskeysockets/baileys'
import { KEY_BUNDLE_TYPE } from '@whiskeysockets/baileys'
import type { PreKeyBundle, PublicPreKey, SignedPublicPreKey } from './directory.ts'
import { bytesOf, child, stanza, uintBytes, uintOf } from './stanzas.ts'

const KEY_ID_BYTES = 3
const REGISTRATION_ID_BYTES = 4

export function parsePreKey(node: BinaryNode): PublicPreKey {
  return { keyId: uintOf(child(node, 'id')), publicKey: bytesOf(child(node, 'value')) }
}

export function parseSignedPreKey(node: BinaryNode): SignedPublicPreKey {
  return { ...parsePreKey(node), signature: bytesOf(child(node, 'signature')) }
}

function preKeyStanza(preKey: PublicPreKey): BinaryNode {
  return stanza('key', {}, [
    stanza('id', {}, uintBytes(preKey.keyId, KEY_ID_BYTES)),
    stanza('value', {}, preKey.publicKey),
  ])
}

function signedPreKeyStanza(preKey: SignedPublicPreKey): BinaryNode {
  return stanza('skey', {}, [
    stanza('id', {}, uintBytes(preKey.keyId, KEY_ID_BYTES)),
    stanza('value', {}, preKey.publicKey),
    stanza('signature', {}, preKey.signature),
  ])
}

/** Answer for one user of a key query, addressed exactly as it was asked for. */
export function bundleStanza(jid: string, bundle: PreKeyBundle): BinaryNode {
  return stanza('user', { jid }, [
    stanza('registration', {}, uintBytes(bundle.registrationId, REGISTRATION_ID_BYTES)),
    stanza('type', {}, KEY_BUNDLE_TYPE),
    stanza('identity', {}, bundle.identityKey),
    signedPreKeyStanza(bundle.signedPreKey),
    ...(bundle.preKey ? [preKeyStanza(bundle.preKey)] : []),
  ])
}

/** Children of a retry receipt through which the sender of the lost message can open a new session. */
export function retryKeyStanzas(bundle: PreKeyBundle): BinaryNode[] {
  return [
    stanza('keys', {}, [
      stanza('type', {}, KEY_BUNDLE_TYPE),
      stanza('identity', {}, bundle.identityKey),
      ...(bundle.preKey ? [preKeyStanza(bundle.preKey)] : []),
      signedPreKeyStanza(bundle.signedPreKey),
    ]),
  ]
}

/** Reads the bundle of a retry receipt; undefined when it carries none. */
export function parseRetryKeys(receipt: BinaryNode): PreKeyBundle | undefined {
  const keys = child(receipt, 'keys')
  const signed = child(keys, 'skey')
  if (!keys || !signed) return undefined
  const oneTime = child(keys, 'key')
  return {
    registrationId: uintOf(child(receipt, 'registration')),
    identityKey: bytesOf(child(keys, 'identity')),
    signedPreKey: parseSignedPreKey(signed),
    preKey: oneTime ? parsePreKey(oneTime) : undefined,
  }
}

export function registrationStanza(registrationId: number): BinaryNode {
  return stanza('registration', {}, uintBytes(registrationId, REGISTRATION_ID_BYTES))
}
