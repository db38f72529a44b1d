import { describe, expect, it } from 'vitest'
import type { Subject } from './subject.ts'

export function describeEvidence(subject: () => Subject): void {
  describe('what was seen of the set-up', () => {
    const evidence = () => subject().store.evidence
    const seen = async () => (await evidence().list()).find(({ piece }) => piece === 'sso')

    it('is the last success and the last refusal, until another setting is used', async () => {
      await evidence().note('sso', 'one', undefined)
      await evidence().note('sso', 'one', 'refused')
      const both = await seen()
      expect(both).toMatchObject({ setting: 'one', reason: 'refused' })
      expect(Number(both?.badAt)).toBeGreaterThanOrEqual(Number(both?.goodAt))
      await evidence().note('sso', 'two', undefined)
      expect(await seen()).toMatchObject({ setting: 'two', badAt: undefined, reason: undefined })
    })
  })
}
