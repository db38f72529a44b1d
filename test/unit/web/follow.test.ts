/** When a page follows the server's stream, and what it says of the connection. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { follow, type Link } from '../../../src/web/live/follow.ts'

type Answer = 'open' | 'unreachable' | 'silent'

describe('a stream that is followed', () => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  const reader = new EventTarget()
  const bodies: ReadableStreamDefaultController<Uint8Array>[] = []
  let answer: Answer
  let said: Link[]
  let unfollow: () => void

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    vi.stubGlobal('document', page)
    vi.stubGlobal('addEventListener', reader.addEventListener.bind(reader))
    vi.stubGlobal('removeEventListener', reader.removeEventListener.bind(reader))
    vi.stubGlobal('fetch', ask)
    page.visibilityState = 'visible'
    bodies.length = 0
    answer = 'open'
    said = []
  })
  afterEach(() => {
    unfollow()
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  async function ask(_url: string, { signal }: { signal: AbortSignal }): Promise<Response> {
    if (answer === 'unreachable') throw new TypeError('no network')
    const ended = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')))
    })
    if (answer === 'silent') return await ended
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        bodies.push(controller)
        ended.catch((thrown: unknown) => {
          controller.error(thrown)
        })
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  const start = async (): Promise<void> => {
    unfollow = follow('/events', {
      onEvent: () => {},
      onLink: (link) => said.push(link),
      onRefused: () => {},
    })
    await pass(0)
  }
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
  const endLast = async (): Promise<void> => {
    bodies.at(-1)?.close()
    await pass(0)
  }
  const show = async (isSeen: boolean): Promise<void> => {
    page.visibilityState = isSeen ? 'visible' : 'hidden'
    page.dispatchEvent(new Event('visibilitychange'))
    await pass(0)
  }

  it('and ends as planned is opened again without a word', async () => {
    await start()
    for (let n = 0; n < 3; n++) {
      await endLast()
      await pass(1_000)
    }
    await pass(10_000)
    expect([said, bodies.length]).toEqual([['opening', 'live', 'live', 'live', 'live'], 4])
  })

  it('is lost once an attempt has failed', async () => {
    await start()
    answer = 'unreachable'
    await endLast()
    await pass(399)
    expect(said).toEqual(['opening', 'live'])
    await pass(1)
    expect(said).toEqual(['opening', 'live', 'lost'])
    answer = 'open'
    await pass(5_000)
    expect(said.at(-1)).toBe('live')
  })

  it('is lost when the next does not come for a second and a half', async () => {
    await start()
    answer = 'silent'
    await endLast()
    await pass(1_499)
    expect(said).toEqual(['opening', 'live'])
    await pass(1)
    expect(said).toEqual(['opening', 'live', 'lost'])
  })

  it('says nothing any more when it was left in the gap', async () => {
    await start()
    await endLast()
    unfollow()
    await pass(10_000)
    expect([said, bodies.length]).toEqual([['opening', 'live'], 1])
  })

  it('is left to others when nobody has seen the page for half a minute, and is there again at the first look', async () => {
    await start()
    await show(false)
    await pass(29_000)
    // A short look away costs nothing.
    await show(true)
    await show(false)
    await pass(29_999)
    expect(bodies[0]?.desiredSize).not.toBeNull()
    await pass(1)
    expect(bodies[0]?.desiredSize).toBeNull()
    await pass(600_000)
    expect(bodies.length).toBe(1)
    await show(true)
    expect([bodies.length, said]).toEqual([2, ['opening', 'live', 'live']])
    await pass(10_000)
    expect(said.at(-1)).toBe('live')
  })

  it('that breaks behind a hidden page is not tried again before somebody looks', async () => {
    await start()
    await show(false)
    answer = 'unreachable'
    await endLast()
    await pass(60_000)
    answer = 'open'
    await show(true)
    expect([bodies.length, said]).toEqual([2, ['opening', 'live', 'live']])
  })

  it('of a page that was opened behind others begins when it is seen', async () => {
    page.visibilityState = 'hidden'
    await start()
    await pass(60_000)
    expect(bodies.length).toBe(0)
    await show(true)
    expect(said).toEqual(['opening', 'live'])
  })
})
