/** The pages as Vite built them (`npm run build`), read once into memory: a few hundred kilobytes. */
import { readdir, readFile } from 'node:fs/promises'
import type { FastifyReply } from 'fastify'
import { messagePage } from './message-page.ts'

const DIST = new URL('../../web/dist/', import.meta.url)

export type PageName = 'pair' | 'app' | 'console'

export interface Asset {
  readonly bytes: Buffer
  readonly brotli: Buffer | undefined
}

export interface BuiltPages {
  /** `undefined` when nobody has built them. */
  html(page: PageName): string | undefined
  readonly assets: ReadonlyMap<string, Asset>
}

const readIfThere = async (path: string): Promise<Buffer | undefined> =>
  await readFile(new URL(path, DIST)).catch(() => undefined)

export async function readBuiltPages(): Promise<BuiltPages> {
  const html = new Map<PageName, string>()
  for (const page of ['pair', 'app', 'console'] as const) {
    const bytes = await readIfThere(`${page}.html`)
    if (bytes !== undefined) html.set(page, bytes.toString('utf8'))
  }
  const assets = new Map<string, Asset>()
  for (const name of await readdir(new URL('assets/', DIST)).catch(() => [])) {
    const bytes = name.endsWith('.br') ? undefined : await readIfThere(`assets/${name}`)
    if (bytes !== undefined) assets.set(name, { bytes, brotli: await readIfThere(`assets/${name}.br`) })
  }
  return { html: (page) => html.get(page), assets }
}

/**
 * Sends a page under its content security policy: our own scripts and styles, nothing inline, nothing from elsewhere.
 *
 * @param frameAncestors who may show it in a frame, as CSP sources.
 */
export async function sendPage(
  reply: FastifyReply,
  html: string | undefined,
  frameAncestors = "'none'",
): Promise<FastifyReply> {
  void reply.type('text/html; charset=utf-8').headers({
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
      `base-uri 'none'; form-action 'none'; frame-ancestors ${frameAncestors}`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  })
  if (html !== undefined) return await reply.send(html)
  return await reply
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    .code(503)
    .send(messagePage('This page is not built', 'On the server run “npm run build”, then restart it.'))
}
