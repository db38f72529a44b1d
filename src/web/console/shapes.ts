/** The API's shapes that only the console knows. */
import type { Get } from '../api/client.ts'
import type { paths } from '../api/openapi.d.ts'

type Posted<Path extends keyof paths> = paths[Path] extends {
  post: { responses: { 200: { content: { 'application/json': infer Body } } } }
}
  ? Body
  : never

export type Location = Get<'/api/ghl/locations'>['locations'][number]
export type Health = Location['tokenHealth']
export type NumbersState = keyof Get<'/api/console/counts'>['numbers']
export type RefreshReport = Posted<'/api/ghl/tokens/refresh'>
export type SyncRun = Get<'/api/sync/status'>['syncs'][number]
export type SyncKind = Get<'/api/sync/kinds'>['kinds'][number]
export type AppEvent = Get<'/api/ghl/events'>['events'][number]
export type AuditEntry = Get<'/api/audit'>['entries'][number]
export type ServiceKey = Get<'/api/keys'>['keys'][number]
export type ServiceScope = NonNullable<
  paths['/api/keys']['post']['requestBody']
>['content']['application/json']['scopes'][number]
export type CheckStep = Get<'/api/integrations/ghl/test-integration'>['steps'][number]
export type Setup = Get<'/api/console/setup'>
