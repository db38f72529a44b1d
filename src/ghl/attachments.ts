/**
 * An agent's attachment, fetched from wherever its URL points, which an outsider may have chosen:
 *
 * 1. https, and no literal private address; again for every redirect, of which three are followed;
 * 2. the address that DNS gives is checked as the connection is made, so that a name cannot point elsewhere between
 *    check and use;
 * 3. at most 100 MiB and five minutes;
 * 4. the type is read off the first bytes, not believed.
 *
 * Hosts in ATTACHMENT_ALLOWED_HOSTS are exempt from 1 and 2.
 */
import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { pipeline } from 'node:stream'
import { createBrotliDecompress, createUnzip, createZstdDecompress } from 'node:zlib'
import { fileTypeFromBuffer } from 'file-type'
import { Agent, type Dispatcher } from 'undici'
import type { GhlAttachments } from '../bridge/ports.ts'
import { BridgeError, MediaError } from '../core/errors.ts'
import type { MediaFile } from '../core/message.ts'
import { bareMimeType, extensionOf, extensionOfMimeType, mimeTypeOfExtension } from './file-types.ts'

const MAX_BYTES = 100 * 1024 * 1024
const MAX_REDIRECTS = 3
const TOTAL_TIMEOUT_MS = 5 * 60_000
const STALL_TIMEOUT_MS = 30_000
const CONNECT_TIMEOUT_MS = 10_000
/** What file-type wants to see of a file. */
const SNIFF_BYTES = 4_100

export interface AttachmentsOptions {
  readonly allowedHosts: readonly string[]
  readonly maxBytes?: number
  /** DNS, replaceable so that a test can play a hostile one. */
  readonly lookup?: LookupFunction
}

export interface OwnedAttachments extends GhlAttachments {
  /** What the address alone tells, before any DNS. @throws {MediaError} `MEDIA_ADDRESS_REFUSED`. */
  check(url: string): void
  close(): Promise<void>
}

export function createAttachments(options: AttachmentsOptions): OwnedAttachments {
  const limits = { headersTimeout: STALL_TIMEOUT_MS, bodyTimeout: STALL_TIMEOUT_MS, allowH2: false }
  const guarded = new Agent({
    ...limits,
    connect: { timeout: CONNECT_TIMEOUT_MS, lookup: publicOnly(options.lookup ?? systemLookup) },
  })
  const exempt = new Agent({ ...limits, connect: { timeout: CONNECT_TIMEOUT_MS } })
  const maxBytes = options.maxBytes ?? MAX_BYTES

  const agentFor = (url: URL): Agent => {
    if (isAllowed(url, options.allowedHosts)) return exempt
    checkAddress(url)
    return guarded
  }

  return {
    check: (url) => void agentFor(parsedUrl(url)),
    async open(url) {
      const signal = AbortSignal.timeout(TOTAL_TIMEOUT_MS)
      try {
        const { response, finalUrl } = await follow(agentFor, parsedUrl(url), signal)
        return await toMediaFile(response, finalUrl, maxBytes)
      } catch (thrown) {
        throw fetchError(thrown)
      }
    },
    close: async () => {
      await Promise.all([guarded.destroy(), exempt.destroy()])
    },
  }
}

async function follow(
  agentFor: (url: URL) => Agent,
  start: URL,
  signal: AbortSignal,
): Promise<{ response: Dispatcher.ResponseData; finalUrl: URL }> {
  let url = start
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await agentFor(url).request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: { accept: '*/*', 'accept-encoding': 'identity' },
      signal,
    })
    const { statusCode } = response
    if (statusCode >= 200 && statusCode < 300) return { response, finalUrl: url }
    await response.body.dump()
    const { location } = response.headers
    if (statusCode < 300 || statusCode > 399 || typeof location !== 'string') throw statusError(statusCode)
    url = parsedUrl(location, url)
  }
  throw new MediaError('MEDIA_ADDRESS_REFUSED', 'The attachment’s address redirects too often')
}

function parsedUrl(address: string, base?: URL): URL {
  const url = URL.parse(address, base)
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url
  throw new MediaError('MEDIA_ADDRESS_REFUSED', 'The attachment’s address is not a web address')
}

function isAllowed(url: URL, allowedHosts: readonly string[]): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return allowedHosts.some((host) => host === url.hostname || host === `${url.hostname}:${port}`)
}

function checkAddress(url: URL): void {
  if (url.protocol !== 'https:')
    throw new MediaError('MEDIA_ADDRESS_REFUSED', 'The attachment’s address is not https')
  // A literal address never passes through DNS, so it is looked at here.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !isPublic(host)) throw privateAddress()
}

const privateAddress = (): MediaError =>
  new MediaError('MEDIA_ADDRESS_REFUSED', 'The attachment’s address is not on the public internet', {
    action: 'Put the file where everybody can open it, or add the host to ATTACHMENT_ALLOWED_HOSTS.',
  })

/** DNS for connections: fails when any address of the name is not public. */
function publicOnly(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '')
      const addresses = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }]
      const [first] = addresses
      if (first === undefined || !addresses.every(({ address }) => isPublic(address)))
        return callback(privateAddress(), '')
      if (options.all === true) return callback(null, addresses)
      return callback(null, first.address, first.family)
    })
  }
}

/** Everything that IANA's special-purpose registries do not call globally reachable. */
const NOT_PUBLIC_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const
/** Within 2000::/3, which is all the public part: tunnels that carry IPv4 inside, and documentation. */
const NOT_PUBLIC_V6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const notPublic = new BlockList()
for (const [network, prefix] of NOT_PUBLIC_V4) notPublic.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of NOT_PUBLIC_V6) notPublic.addSubnet(network, prefix, 'ipv6')
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

/** False for anything that is no IP address, too. */
export function isPublic(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !notPublic.check(address, 'ipv4')
  // IPv4 written as IPv6 is outside 2000::/3 and so refused whatever it names.
  return family === 6 && globalUnicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6')
}

function statusError(status: number): MediaError {
  const details = { status }
  if (status >= 500 || status === 408 || status === 425 || status === 429)
    return new MediaError('MEDIA_FETCH_FAILED', 'The attachment’s server cannot give it now', { details })
  return new MediaError('MEDIA_GONE', 'The attachment is not at its address any more', {
    details,
    action: 'Attach the file again.',
  })
}

async function toMediaFile(
  response: Dispatcher.ResponseData,
  url: URL,
  maxBytes: number,
): Promise<MediaFile> {
  const declared = Number(response.headers['content-length'] ?? Number.NaN)
  // Readers get the failure from the iteration; a body that nobody reads must not end the process.
  response.body.on('error', () => undefined)
  const body = capped(plain(response), maxBytes)[Symbol.asyncIterator]()
  try {
    if (declared > maxBytes) throw tooLarge(maxBytes)
    const { head, isWhole } = await readHead(body)
    const named = namedBy(response, url)
    const mimeType = await typeOf(head, response, named)
    const extension = extensionOf(named) === '' ? extensionOfMimeType(mimeType) : undefined
    const isDeclared = Number.isSafeInteger(declared) && response.headers['content-encoding'] === undefined
    const sizeBytes = isWhole ? head.length : isDeclared ? declared : undefined
    return {
      fileName: extension === undefined ? named : `${named}.${extension}`,
      mimeType,
      bytes: joined(head, body),
      ...(sizeBytes !== undefined && { sizeBytes }),
    }
  } catch (thrown) {
    response.body.destroy()
    throw thrown
  }
}

/** Some servers compress although asked not to; the size cap counts what comes out. */
function plain({ headers, body }: Dispatcher.ResponseData): AsyncIterable<Uint8Array> {
  const encoding = headers['content-encoding']
  if (encoding === undefined || encoding === 'identity') return body
  const open =
    encoding === 'br'
      ? createBrotliDecompress()
      : encoding === 'zstd'
        ? createZstdDecompress()
        : createUnzip()
  return pipeline(body, open, () => undefined)
}

async function* capped(bytes: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let readBytes = 0
  try {
    for await (const chunk of bytes) {
      readBytes += chunk.length
      if (readBytes > maxBytes) throw tooLarge(maxBytes)
      yield chunk
    }
  } catch (thrown) {
    throw fetchError(thrown)
  }
}

const tooLarge = (maxBytes: number): MediaError =>
  new MediaError('MEDIA_TOO_LARGE', `The attachment is larger than ${Math.floor(maxBytes / 1_048_576)} MiB`)

async function readHead(body: AsyncIterator<Uint8Array>): Promise<{ head: Buffer; isWhole: boolean }> {
  const chunks: Uint8Array[] = []
  let readBytes = 0
  while (readBytes < SNIFF_BYTES) {
    const next = await body.next()
    if (next.done === true) return { head: Buffer.concat(chunks), isWhole: true }
    chunks.push(next.value)
    readBytes += next.value.length
  }
  return { head: Buffer.concat(chunks), isWhole: false }
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

/** Containers that hold many types: what the name or the server says is more exact. */
const CONTAINERS = new Set(['application/zip', 'application/x-cfb', 'application/xml'])

async function typeOf(head: Uint8Array, response: Dispatcher.ResponseData, name: string): Promise<string> {
  const sniffed = bareMimeType((await fileTypeFromBuffer(head))?.mime ?? '')
  const header = response.headers['content-type']
  const claims = [
    mimeTypeOfExtension(extensionOf(name)),
    bareMimeType(typeof header === 'string' ? header : ''),
  ]
  if (sniffed !== '' && !CONTAINERS.has(sniffed)) return onlySound(sniffed, claims) ?? sniffed
  return claims.find((claim) => claim !== undefined && isBelievable(claim)) ?? (sniffed || UNKNOWN_TYPE)
}

/** A film's container may hold sound alone, which its first bytes do not tell. */
function onlySound(sniffed: string, claims: readonly (string | undefined)[]): string | undefined {
  const asSound = sniffed.replace(/^video\//, 'audio/')
  return asSound !== sniffed && claims.includes(asSound) ? asSound : undefined
}

const UNKNOWN_TYPE = 'application/octet-stream'

/** Bytes without a mark of their own are no picture, film or sound, whatever name and server call them. */
const isBelievable = (claim: string): boolean =>
  claim.includes('/') &&
  claim !== UNKNOWN_TYPE &&
  (claim === 'image/svg+xml' || !/^(image|video|audio)\//.test(claim))

function namedBy(response: Dispatcher.ResponseData, url: URL): string {
  const disposition = response.headers['content-disposition']
  const header = typeof disposition === 'string' ? disposition : ''
  const extended = /filename\*\s*=\s*UTF-8''([^;]+)/i.exec(header)?.[1]
  const plain = /filename\s*=\s*(?:"([^"]*)"|([^;]+))/i.exec(header)
  const last = url.pathname.split('/').at(-1) ?? ''
  const name = [extended && decoded(extended), plain?.[1] ?? plain?.[2], decoded(last)].find(Boolean) ?? ''
  // Neither a path nor anything invisible; the rest is the sender's business.
  const safe = name
    .replaceAll(/[\\/:*?"<>|\p{Cc}\p{Cf}]+/gu, '_')
    .trim()
    .slice(-120)
  return safe === '' || /^[._]+$/.test(safe) ? 'file' : safe
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function fetchError(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  const name = thrown instanceof Error ? thrown.name : typeof thrown
  return new MediaError('MEDIA_FETCH_FAILED', 'The attachment could not be fetched', {
    cause: thrown,
    details: { cause: name },
  })
}
