// Every IQ a companion is known to send, with the smallest answer that lets it go on. What is not in the table is
// answered with an empty result and counted by name.
import type { BinaryNode } from '@whiskeysockets/baileys'
import type { Counters } from './counters.ts'
import type { DeviceAddress, Directory } from './directory.ts'
import type { Groups } from './groups.ts'
import type { MediaHost } from './media-host.ts'
import type { Pictures } from './pictures.ts'
import { bundleStanza, parsePreKey, parseSignedPreKey } from './prekeys.ts'
import { REACH_OUT_QUERY_ID, type ReachOut } from './reach-out.ts'
import { child, children, iqError, iqResult, stanza } from './stanzas.ts'
import { answerUsync } from './usync.ts'

/** Seconds a media_conn answer stays valid. */
const MEDIA_TTL_SECONDS = 300

export interface QueryDeps {
  readonly directory: Directory
  readonly groups: Groups
  readonly counters: Counters
  readonly media: MediaHost
  readonly reachOut: ReachOut
  readonly pictures: Pictures
  /** host:port where companions upload. */
  readonly mediaAddress: string
}

type Answer = (deps: QueryDeps, from: DeviceAddress, request: BinaryNode) => BinaryNode

const empty: Answer = (_deps, _from, request) => iqResult(request)

const PRIVACY = ['readreceipts', 'last', 'online', 'profile', 'status', 'groupadd', 'calladd', 'messages']

/** Values of the A/B properties that Baileys reads: all three keep privacy tokens off. */
const PROPS = ['10518', '9666', '14303']

function countPreKeys(
  _deps: QueryDeps,
  { account, deviceId }: DeviceAddress,
  request: BinaryNode,
): BinaryNode {
  const count = account.devices.get(deviceId)?.oneTimePreKeys.length ?? 0
  return iqResult(request, [stanza('count', { value: String(count) })])
}

function uploadPreKeys(
  _deps: QueryDeps,
  { account, deviceId }: DeviceAddress,
  request: BinaryNode,
): BinaryNode {
  const device = account.devices.get(deviceId)
  const signed = child(request, 'skey')
  if (!device || !signed) return iqError(request, 406, 'not-acceptable')
  device.signedPreKey = parseSignedPreKey(signed)
  const known = new Set(device.oneTimePreKeys.map(({ keyId }) => keyId))
  const uploaded = children(child(request, 'list'), 'key').map(parsePreKey)
  device.oneTimePreKeys.push(...uploaded.filter(({ keyId }) => !known.has(keyId)))
  return iqResult(request)
}

function rotateSignedPreKey(
  _deps: QueryDeps,
  { account, deviceId }: DeviceAddress,
  request: BinaryNode,
): BinaryNode {
  const device = account.devices.get(deviceId)
  const signed = child(child(request, 'rotate'), 'skey')
  if (!device || !signed) return iqError(request, 406, 'not-acceptable')
  device.signedPreKey = parseSignedPreKey(signed)
  return iqResult(request)
}

/** Devices that do not exist are left out; the asker finds no session for them and skips them. */
function fetchBundles({ directory }: QueryDeps, _from: DeviceAddress, request: BinaryNode): BinaryNode {
  const users = children(child(request, 'key'), 'user').flatMap((user) => {
    const jid = user.attrs['jid'] ?? ''
    const address = directory.findDevice(jid)
    const bundle = address && directory.takeBundle(address)
    return bundle ? [bundleStanza(jid, bundle)] : []
  })
  return iqResult(request, [stanza('list', {}, users)])
}

function mediaConnection({ media, mediaAddress }: QueryDeps, _from: DeviceAddress, request: BinaryNode) {
  return iqResult(request, [
    stanza('media_conn', { auth: media.auth, ttl: String(MEDIA_TTL_SECONDS) }, [
      stanza('host', { hostname: mediaAddress }),
    ]),
  ])
}

function answerMex({ counters, reachOut }: QueryDeps, { account }: DeviceAddress, request: BinaryNode) {
  const queryId = child(request, 'query')?.attrs['query_id']
  if (queryId === REACH_OUT_QUERY_ID)
    return iqResult(request, [stanza('result', {}, reachOut.answer(account))])
  counters.unknown(`mex query ${queryId ?? 'without id'}`)
  return iqResult(request)
}

/** The same collections, unchanged since version 0. */
function syncAppState(_deps: QueryDeps, _from: DeviceAddress, request: BinaryNode): BinaryNode {
  const collections = children(child(request, 'sync'), 'collection').map(({ attrs }) =>
    stanza('collection', { name: attrs['name'], version: attrs['version'] ?? '0' }),
  )
  return iqResult(request, [stanza('sync', {}, collections)])
}

const answerGroups: Answer = ({ groups }, { account }, request) => groups.answer(account, request)

/** Keyed by `xmlns type child`; a query without child has none in its key. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  'encrypt get count': countPreKeys,
  'encrypt set registration': uploadPreKeys,
  'encrypt set rotate': rotateSignedPreKey,
  'encrypt get digest': (_deps, _from, request) => iqResult(request, [stanza('digest')]),
  'encrypt get key': fetchBundles,
  'abt get props': (_deps, _from, request) =>
    iqResult(request, [
      stanza(
        'props',
        { protocol: '1', hash: 'sandbox' },
        PROPS.map((code) => stanza('prop', { config_code: code, config_value: 'false' })),
      ),
    ]),
  'blocklist get': (_deps, _from, request) => iqResult(request, [stanza('list')]),
  'privacy get privacy': (_deps, _from, request) =>
    iqResult(request, [
      stanza(
        'privacy',
        {},
        PRIVACY.map((name) => stanza('category', { name, value: 'all' })),
      ),
    ]),
  'privacy set tokens': empty,
  'passive set active': empty,
  'passive set passive': empty,
  'w:p get ping': empty,
  'w:m set media_conn': mediaConnection,
  'w:mex get query': answerMex,
  'w:sync:app:state set sync': syncAppState,
  'urn:xmpp:whatsapp:dirty set clean': empty,
  'w:profile:picture get picture': ({ pictures, directory }, _from, request) =>
    pictures.answer(directory, request),
  'w:g2 get query': answerGroups,
  'w:g2 get participating': answerGroups,
  'usync get usync': ({ directory, counters }, _from, request) =>
    answerUsync(directory, request, (name) => counters.unknown(`usync protocol ${name}`)),
}

export function queryName(request: BinaryNode): string {
  const { xmlns, type } = request.attrs
  return [xmlns, type, children(request)[0]?.tag].filter((part) => part !== undefined).join(' ')
}

export function answerQuery(deps: QueryDeps, from: DeviceAddress, request: BinaryNode): BinaryNode {
  const name = queryName(request)
  const answer = Object.hasOwn(ANSWERS, name) ? ANSWERS[name] : undefined
  if (answer) return answer(deps, from, request)
  deps.counters.unknown(`iq ${name}`)
  return iqResult(request)
}
