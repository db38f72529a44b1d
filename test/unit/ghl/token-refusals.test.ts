import { describe, expect, it } from 'vitest'
import { parseRefusal, type Refusal } from '../../../src/ghl/refusals.ts'
import { TokenRefusals } from '../../../src/ghl/token-refusals.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const unknown = parseRefusal(401, { message: 'Computer says no' })
const spent = parseRefusal(401, { message: 'Invalid JWT' })

function subject() {
  const { clock, advance } = createFakeClock()
  const refusals = new TokenRefusals(clock)
  let count = 0
  /** A call refused under the newest token: whether another is asked for, under which the call is refused again or not. */
  const refused = (refusal: Refusal, isCured = false): boolean => {
    if (!refusals.isCurable({ installationId: 'i', accessToken: `t${count}` }, refusal)) return false
    const renewed = { installationId: 'i', accessToken: `t${++count}` }
    refusals.given(renewed)
    refusals.noteCure(renewed, refusal, isCured ? undefined : refusal)
    return true
  }
  return { advance, refused }
}

describe('a token that is refused however new it is', () => {
  it.each([
    ['in unknown words', unknown],
    ['as spent', spent],
  ])('%s is replaced ever more rarely: after a minute, then two, up to an hour', async (_, refusal) => {
    const { advance, refused } = subject()
    const pausesSec: number[] = []
    for (let sec = 0, sinceSec = 0; sec < 4 * 3_600; sec += 30) {
      if (refused(refusal)) {
        pausesSec.push(sec - sinceSec)
        sinceSec = sec
      }
      await advance(30_000)
    }
    // Asked every half minute, it is the first half minute behind the pause.
    expect(pausesSec).toEqual([0, 90, 150, 270, 510, 990, 1_950, 3_630, 3_630])
  })

  it('in unknown words does not hold back the cure for one that is spent', async () => {
    const { advance, refused } = subject()
    for (let n = 0; n < 3; n++) {
      expect(refused(unknown)).toBe(true)
      await advance(2 ** n * 60_000 + 1)
    }
    await advance(-1_000)
    expect([refused(unknown), refused(spent)]).toEqual([false, true])
  })

  it('is replaced as before when a new one has helped', async () => {
    const { advance, refused } = subject()
    for (const isCured of [false, false, true, false]) {
      expect(refused(unknown, isCured)).toBe(true)
      await advance(120_001)
    }
    expect(refused(unknown)).toBe(true)
  })
})
