import type { FastifyPluginCallback } from 'fastify'
import type { BuiltPages } from '../pages/built-pages.ts'

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json; charset=utf-8',
}

/** Scripts, styles and words of the pages. Their names change with their content, so they may be kept for ever. */
export function assetRoutes({ assets }: BuiltPages): FastifyPluginCallback {
  return (app, _options, done) => {
    app.get<{ Params: { name: string } }>(
      '/assets/:name',
      { schema: { hide: true } },
      async (request, reply) => {
        const { name } = request.params
        const asset = assets.get(name)
        if (asset === undefined) {
          reply.callNotFound()
          return reply
        }
        const takesBrotli = /\bbr\b/.test(String(request.headers['accept-encoding'] ?? ''))
        const packed = takesBrotli ? asset.brotli : undefined
        return await reply
          .headers({
            'content-type': TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
            'cache-control': 'public, max-age=31536000, immutable',
            'x-content-type-options': 'nosniff',
            vary: 'accept-encoding',
            ...(packed !== undefined && { 'content-encoding': 'br' }),
          })
          .send(packed ?? asset.bytes)
      },
    )
    done()
  }
}
