import { readFile } from 'node:fs/promises'
import type { FastifyPluginAsync } from 'fastify'

const ASSETS = {
  'pairing.css': 'text/css; charset=utf-8',
  'pairing.js': 'text/javascript; charset=utf-8',
} as const

/** The few static files of the pages, read once. */
export const assetRoutes: FastifyPluginAsync = async (app) => {
  for (const [name, type] of Object.entries(ASSETS)) {
    const content = await readFile(new URL(`../pages/${name}`, import.meta.url))
    app.get(`/assets/${name}`, (_request, reply) =>
      reply.type(type).header('cache-control', 'no-cache').send(content),
    )
  }
}
