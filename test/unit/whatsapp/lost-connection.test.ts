import { describe, expect, it } from 'vitest'
import { isLostConnection } from '../../../src/whatsapp/sends.ts'

/** An error of the class that Baileys throws. */
const boom = (statusCode: number) => Object.assign(new Error('boom'), { output: { statusCode } })

describe('a rejection that nobody watched', () => {
  it.each([
    [
      'a write on a connection that was cut',
      Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET' }),
    ],
    ['a write on a closed pipe', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })],
    ['Baileys’ own word for a closed connection', boom(428)],
    ['the bare close code of the web socket', 1006],
  ])('%s is the end of one connection', (_, reason) => {
    expect(isLostConnection(reason)).toBe(true)
  })

  it.each([
    ['a bug', new TypeError('x is not a function')],
    ['a refusal', boom(401)],
    ['a full disk', Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' })],
    ['nothing', undefined],
  ])('%s is not', (_, reason) => {
    expect(isLostConnection(reason)).toBe(false)
  })
})
