/** What sibling backends are served with: keys, audit, GHL through our tokens. Register behind the guard. */
import type { FastifyPluginAsync } from 'fastify'
import { type KeyDeps, keyRoutes } from './keys.ts'

export type SiblingDeps = KeyDeps

export function siblingRoutes(deps: SiblingDeps): FastifyPluginAsync {
  return async (app) => {
    await app.register(keyRoutes(deps))
  }
}
