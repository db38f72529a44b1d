// The media host over TLS. Companions upload with POST /mms/<kind>/<token>, where the token is the base64url
// SHA-256 of the body; everybody downloads by direct path from "mmg.whatsapp.net", which the preload's
// dispatcher turns into a connection to this host. Bodies live in memory for the life of the sandbox.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TlsIdentity } from './certificates.ts'
import { SandboxError } from './errors.ts'
import { sha256 } from './media-crypto.ts'

export const MEDIA_DOWNLOAD_HOST = 'mmg.whatsapp.net'
/** Where profile pictures are, unencrypted. */
export const PICTURE_HOST = 'pps.whatsapp.net'

/** What becomes of a download: one byte is another, or the connection ends in the middle. */
export type MediaDamage = 'changed' | 'cut off'

interface StoredMedia {
  readonly url: string
  readonly directPath: string
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/** Reads `bytes=a-b`, `bytes=a-` and `bytes=-n`; undefined when the header is absent or not satisfiable. */
function parseRange(header: string | undefined, sizeBytes: number): [number, number] | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match) return undefined
  const [, first = '', last = ''] = match
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  return start <= end ? [start, end] : undefined
}

function sendSpoilt(response: ServerResponse, body: Buffer, damage: MediaDamage | undefined): void {
  const middle = Math.floor(body.length / 2)
  if (damage === 'cut off') response.write(body.subarray(0, middle), () => response.destroy())
  else if (damage === 'changed') {
    const changed = Buffer.from(body)
    changed.writeUInt8(changed.readUInt8(middle) ^ 1, middle)
    response.end(changed)
  } else response.end(body)
}

export class MediaHost {
  readonly #server: Server
  readonly #bodies = new Map<string, Buffer>()
  /** Pathname -> content type of what is not encrypted. */
  readonly #types = new Map<string, string>()
  /** Direct path without query -> status that a download of it gets. */
  readonly #failures = new Map<string, number>()
  readonly #damages = new Map<string, MediaDamage>()
  #spoilNext: number | MediaDamage | undefined
  #uploadFailure: number | undefined
  #gate: Promise<undefined> | undefined
  readonly auth = randomBytes(24).toString('base64url')
  uploads = 0
  downloads = 0

  constructor(tls: TlsIdentity) {
    this.#server = createServer({ key: tls.keyPem, cert: tls.certPem }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        answerJson(response, 500, { error: String(error) })
      })
    })
  }

  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    // A TCP server's address is never a pipe name.
    const address = this.#server.address() as AddressInfo
    return `127.0.0.1:${address.port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  store(path: string, body: Buffer): StoredMedia {
    const pathname = `/v${path}/${randomBytes(12).toString('hex')}.enc`
    this.#bodies.set(pathname, body)
    if (typeof this.#spoilNext === 'number') this.#failures.set(pathname, this.#spoilNext)
    else if (this.#spoilNext !== undefined) this.#damages.set(pathname, this.#spoilNext)
    this.#spoilNext = undefined
    const directPath = `${pathname}?ccb=11-4&oh=${randomBytes(8).toString('hex')}&mms3=true`
    return { url: `https://${MEDIA_DOWNLOAD_HOST}${directPath}`, directPath }
  }

  /** Keeps a picture for all to see. Returns its URL. */
  publish(body: Buffer, mimetype: string): string {
    const pathname = `/v/t61.24694-24/${randomBytes(12).toString('hex')}`
    this.#bodies.set(pathname, body)
    this.#types.set(pathname, mimetype)
    return `https://${PICTURE_HOST}${pathname}?oh=${randomBytes(8).toString('hex')}`
  }

  /** What a phone downloads. @throws {SandboxError} `MEDIA_NOT_FOUND` */
  read(directPath: string): Buffer {
    const pathname = new URL(directPath, `https://${MEDIA_DOWNLOAD_HOST}`).pathname
    const body = this.#bodies.get(pathname)
    if (!body) throw new SandboxError('MEDIA_NOT_FOUND', 'nothing was uploaded under this direct path')
    return body
  }

  /** Makes downloads of one direct path answer this status (404, 410, ...) until cleared with undefined. */
  fail(directPath: string, status: number | undefined): void {
    const pathname = new URL(directPath, `https://${MEDIA_DOWNLOAD_HOST}`).pathname
    if (status === undefined) this.#failures.delete(pathname)
    else this.#failures.set(pathname, status)
  }

  /** Spoils downloads of one direct path until cleared with undefined. */
  damage(directPath: string, damage: MediaDamage | undefined): void {
    const pathname = new URL(directPath, `https://${MEDIA_DOWNLOAD_HOST}`).pathname
    if (damage === undefined) this.#damages.delete(pathname)
    else this.#damages.set(pathname, damage)
  }

  /** What {@link fail} or {@link damage} does, to the next file that is stored, from its first download on. */
  spoilNext(how: number | MediaDamage): void {
    this.#spoilNext = how
  }

  /** Answers every upload with this status until cleared with undefined. */
  refuseUploads(status: number | undefined): void {
    this.#uploadFailure = status
  }

  /** Leaves uploads without an answer until the returned function is called. */
  holdUploads(): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#gate = promise
    return () => {
      this.#gate = undefined
      resolve(undefined)
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `https://${MEDIA_DOWNLOAD_HOST}`)
    if (request.method === 'POST') await this.#upload(url, request, response)
    else if (request.method === 'GET' || request.method === 'HEAD') this.#download(url, request, response)
    else answerJson(response, 405, { error: 'use POST to upload and GET to download' })
  }

  async #upload(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, root, kind, token] = url.pathname.split('/')
    const body = await readBody(request)
    await this.#gate
    if (this.#uploadFailure !== undefined) {
      answerJson(response, this.#uploadFailure, { error: 'uploads are refused' })
    } else if (root !== 'mms' || kind === undefined || token === undefined) {
      answerJson(response, 404, { error: 'uploads go to /mms/<kind>/<token>' })
    } else if (url.searchParams.get('auth') !== this.auth) {
      answerJson(response, 401, { error: 'auth is not the one media_conn gave' })
    } else if (sha256(body).toString('base64url') !== token) {
      answerJson(response, 400, { error: 'token is not the SHA-256 of the body' })
    } else {
      this.uploads += 1
      const stored = this.store(`/${kind}`, body)
      answerJson(response, 200, { url: stored.url, direct_path: stored.directPath })
    }
  }

  #download(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const failure = this.#failures.get(url.pathname)
    const body = this.#bodies.get(url.pathname)
    if (failure !== undefined || !body) {
      answerJson(response, failure ?? 404, { error: 'media is not available' })
      return
    }
    this.downloads += 1
    const range = parseRange(request.headers.range, body.length)
    const [start, end] = range ?? [0, body.length - 1]
    response.writeHead(range ? 206 : 200, {
      'content-type': this.#types.get(url.pathname) ?? 'application/octet-stream',
      'content-length': end - start + 1,
      'accept-ranges': 'bytes',
      ...(range && { 'content-range': `bytes ${start}-${end}/${body.length}` }),
    })
    if (request.method === 'HEAD') response.end()
    else sendSpoilt(response, body.subarray(start, end + 1), this.#damages.get(url.pathname))
  }
}
