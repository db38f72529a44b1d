import { describe, expect, it } from 'vitest'
import { isPublic } from '../../../src/ghl/attachments.ts'

describe('an IP address is public', () => {
  it.each(['1.1.1.1', '93.184.216.34', '172.15.255.255', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])(
    'when it is %s',
    (address) => {
      expect(isPublic(address)).toBe(true)
    },
  )
  it.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.19.0.1',
    '203.0.113.5',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2001:db8::1',
    '2001::1',
    '2002:7f00:1::',
    'fc00::1',
    'fe80::1',
    'ff02::1',
    'example.com',
    '',
  ])('but not when it is %s', (address) => {
    expect(isPublic(address)).toBe(false)
  })
})
