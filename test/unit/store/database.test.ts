import { describe, expect, it } from 'vitest'
import { repeatRolledBack, storeErrorOf, toJson } from '../../../src/store/database.ts'

describe('errors of the database', () => {
  it.each([
    ['BR001', 'STORE_LEASE_LOST', 'not_sent'],
    ['40001', 'STORE_UNAVAILABLE', 'not_sent'],
    ['40P01', 'STORE_UNAVAILABLE', 'not_sent'],
    ['53300', 'STORE_UNAVAILABLE', 'not_sent'],
    ['57014', 'STORE_UNAVAILABLE', 'not_sent'],
    ['57P01', 'STORE_UNAVAILABLE', 'unknown'],
    ['08006', 'STORE_UNAVAILABLE', 'unknown'],
    [undefined, 'STORE_UNAVAILABLE', 'unknown'],
    ['23505', 'STORE_REJECTED', 'not_sent'],
    ['42883', 'STORE_REJECTED', 'not_sent'],
  ] as const)('%s is %s, %s', (sqlState, code, certainty) => {
    expect(storeErrorOf('fn', { sqlState, reason: 'r' })).toMatchObject({ code, certainty })
  })

  it('keeps the reason of a constraint and drops one that may quote a value', () => {
    const constraint = storeErrorOf('fn', { sqlState: '23502', reason: 'null value in column "x"\nmore' })
    expect(constraint.details['reason']).toBe('null value in column "x"')
    const value = storeErrorOf('fn', { sqlState: '22P02', reason: 'invalid input: "a secret"' })
    expect(JSON.stringify({ ...value, message: value.message })).not.toContain('secret')
  })

  it('repeats a call that was rolled back for another transaction, and no other', async () => {
    let calls = 0
    const failing = (sqlState: string, times: number) => () => {
      calls++
      return calls <= times
        ? Promise.reject(storeErrorOf('fn', { sqlState, reason: '' }))
        : Promise.resolve('done')
    }
    expect(await repeatRolledBack(failing('40P01', 2))).toBe('done')
    calls = 0
    await expect(repeatRolledBack(failing('40001', 99))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(calls).toBe(5)
    calls = 0
    await expect(repeatRolledBack(failing('08006', 1))).rejects.toMatchObject({ certainty: 'unknown' })
    expect(calls).toBe(1)
  })
})

describe('JSON for the database', () => {
  it('drops NUL and mends halves of surrogate pairs, wherever they stand', () => {
    const text = toJson({ a: 'x\0y', b: ['\ud83d', { c: '🙂' }], n: 1, u: undefined })
    expect(JSON.parse(text)).toEqual({ a: 'xy', b: ['\ufffd', { c: '🙂' }], n: 1 })
  })

  it('leaves a backslash before u0000 alone', () => {
    const written = { a: '\\u0000 and \\ud800' }
    expect(JSON.parse(toJson(written))).toEqual(written)
  })
})
