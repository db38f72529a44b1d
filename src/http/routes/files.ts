/** Files that GHL does not take, decrypted from WhatsApp as they are read. Open, as the link is the right. */
import { Readable } from 'node:stream'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { RequestError } from '../../core/errors.ts'
import type { MessageId } from '../../core/ids.ts'
import type { MediaFile } from '../../core/message.ts'
import type { FileLinks } from '../file-links.ts'

export interface FileDeps {
  readonly fileLinks: Pick<FileLinks, 'read'>
  /** @throws {MediaError} `MEDIA_GONE`, `MEDIA_FETCH_FAILED`. */
  readonly openFile: (message: MessageId) => Promise<MediaFile | undefined>
}

/** Any token is read, so that a wrong one is answered as what it is; the router bounds its length. */
const Params = z.object({ token: z.string(), name: z.string() })

const unknown = (): RequestError =>
  new RequestError('LINK_EXPIRED', 'This link has expired', { action: 'The file can be seen on the phone.' })

/** As RFC 8187 wants it: encodeURIComponent leaves four characters that mean something there. */
const headerValue = (fileName: string): string =>
  encodeURIComponent(fileName.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

export function fileRoutes({ fileLinks, openFile }: FileDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/files/:token/:name',
      // Asking for the headers alone would fetch the file.
      { exposeHeadRoute: false, schema: { params: Params } },
      async (request, reply) => {
        const message = fileLinks.read(request.params.token)
        const file = message && (await openFile(message))
        if (file === undefined) throw unknown()
        void reply.headers({
          // Always a download, never a page of ours: a stranger made the file.
          'content-type': 'application/octet-stream',
          'content-disposition': `attachment; filename*=UTF-8''${headerValue(file.fileName)}`,
          'x-content-type-options': 'nosniff',
          'content-security-policy': "default-src 'none'; sandbox",
          'referrer-policy': 'no-referrer',
          'cache-control': 'private, no-store',
          ...(file.sizeBytes !== undefined && { 'content-length': file.sizeBytes }),
        })
        return await reply.send(Readable.from(file.bytes, { objectMode: false }))
      },
    )
    done()
  }
}
