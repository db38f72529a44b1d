/** The operator's way in: the key is asked for whenever the token that is held is refused, however young, and once for all that was refused with it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createOperatorLogin } from '../../../src/web/parts/operator-login.ts'

describe('the operator’s login', () => {
  const asked: boolean[] = []
  let made = 0
  beforeEach(() => {
    asked.length = 0
    made = 0
    vi.stubGlobal('fetch', () => {
      made += 1
      return Promise.resolve(Response.json({ token: `token-${made}`, expiresInMs: 3_600_000 }))
    })
  })
  afterEach(() => {
    vi.unstubAllGlobals()
  })
  const open = async () => {
    const login = createOperatorLogin((isNeeded) => asked.push(isNeeded))
    await login.enter('key')
    asked.length = 0
    return login
  }

  it('asks for the key when a token is refused that was given a moment ago', async () => {
    const login = await open()
    const renewed = login.renew(await login.bearer())
    expect(asked).toEqual([true])
    await login.enter('key')
    await renewed
    expect([asked, await login.bearer()]).toEqual([[true, false], 'token-2'])
  })

  it('asks nothing for a straggler: what was refused with the token before', async () => {
    const login = await open()
    const first = await login.bearer()
    const both = Promise.all([login.renew(first), login.renew(first)])
    await login.enter('key')
    await both
    asked.length = 0
    await login.renew(first)
    expect(asked).toEqual([])
  })

  it('asks for the key by itself when the hour is over', async () => {
    const login = await open()
    const now = performance.now()
    const clock = vi.spyOn(performance, 'now').mockReturnValue(now + 3_600_000)
    const bearer = login.bearer()
    expect(asked).toEqual([true])
    clock.mockRestore()
    await login.enter('key')
    expect(await bearer).toBe('token-2')
  })
})
