/** The documented API under a bearer that may be renewed while the page is open. Types come from the OpenAPI document. */
import createClient from 'openapi-fetch'
import { failureOf } from './failure.ts'
import type { paths } from './openapi.d.ts'

/** Whoever knows the bearer and how to get the next one. It is held in memory only. */
export interface Login {
  /** A bearer that is still good for a while. */
  bearer(): Promise<string>
  /** This one was refused: gets another, unless there is another already. */
  renew(refused: string): Promise<void>
}

export type Api = ReturnType<typeof createApi>

export function createApi(login: Login) {
  const send = async (request: Request): Promise<Response> => {
    const attempt = async (bearer: string) => {
      const copy = request.clone()
      copy.headers.set('authorization', `Bearer ${bearer}`)
      return await fetch(copy)
    }
    const bearer = await login.bearer()
    const answer = await attempt(bearer)
    if (answer.status !== 401) return answer
    await login.renew(bearer)
    return await attempt(await login.bearer())
  }
  return createClient<paths>({ baseUrl: location.origin, fetch: send })
}

/** The body of a good answer. @throws {Failure} with the server's code and words. */
export async function got<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<NonNullable<T>> {
  const { data, error, response } = await asked
  if (!response.ok) throw failureOf(response.status, error)
  return data as NonNullable<T> // the document says what a good answer holds
}

export type Get<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { 'application/json': infer Body } } } }
}
  ? Body
  : never

export type Session = Get<'/ghl/location/{locationId}/session'>['sessions'][number]
export type Message = Get<'/api/messages'>['messages'][number]
export type Settings = Get<'/ghl/location/{locationId}/settings'>
export type Ledger = Get<'/api/ledger/{locationId}'>
export type Stats = Get<'/api/stats'>
export type History = Get<'/ghl/location/{locationId}/session/{id}/history'>
