/** What sibling backends are served with: keys, audit, GHL through our tokens. Register behind the guard. */
import type { FastifyPluginAsync } from 'fastify'
import { type CallLogDeps, callLogRoutes } from './call-logs.ts'
import { type EngineDeps, engineRoutes } from './engine.ts'
import { type KeyDeps, keyRoutes } from './keys.ts'
import { type ProductDeps, productRoutes } from './products.ts'
import { type ProxyDeps, proxyRoutes } from './proxy.ts'

export type SiblingDeps = KeyDeps & ProxyDeps & ProductDeps & CallLogDeps & EngineDeps

export function siblingRoutes(deps: SiblingDeps): FastifyPluginAsync {
  return async (app) => {
    await app.register(keyRoutes(deps))
    await app.register(proxyRoutes(deps))
    await app.register(productRoutes(deps))
    await app.register(callLogRoutes(deps))
    await app.register(engineRoutes(deps))
  }
}
