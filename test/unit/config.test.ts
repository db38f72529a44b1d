import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { configurationMarkdown, envExample } from '../../scripts/configuration-docs.ts'
import { parseConfig } from '../../src/config.ts'
import { ConfigError } from '../../src/core/errors.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')

function refusal(env: Record<string, string>): ConfigError {
  try {
    parseConfig(env)
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown
    throw thrown
  }
  throw new Error('the configuration was accepted')
}

describe('the environment', () => {
  it('needs nothing at all: the defaults are the embedded store on loopback', () => {
    const config = parseConfig({})
    expect(config).toMatchObject({
      PORT: 8080,
      HOST: '127.0.0.1',
      DATA_DIR: './sessions-data',
      GHL_TIMEOUT_MS: 30_000,
    })
    expect(config.GHL_REDIRECT_URI).toBe('http://localhost:8080/oauth/callback')
  })

  it('treats an empty variable as absent, as deploy forms send them', () => {
    expect(parseConfig({ PORT: '', DATABASE_URL: '' }).PORT).toBe(8080)
  })

  it.each([
    ['PORT', 'eighty', 'a port number'],
    ['PORT', '70000', 'a port number'],
    ['PUBLIC_URL', 'http://bridge.example', 'a https:// URL'],
    ['GHL_API_URL', 'ftp://example.com', 'a https:// URL'],
    ['WHATSAPP_WEB_SOCKET_URL', 'ws://example.com', 'a wss:// URL'],
    ['WHATSAPP_VERSION', '2.2000.1', 'a version like'],
    ['ENCRYPTION_KEY', 'c2hvcnQ=', 'base64 of exactly 32 bytes'],
    ['ENCRYPTION_KEY', `${KEY},c2hvcnQ=`, 'base64 of exactly 32 bytes'],
    ['API_KEY', 'short', 'at least 16 characters'],
    ['GHL_PROVIDER_TYPE', 'whatsapp', 'custom or sms'],
    ['GHL_TIMEOUT_MS', '-1', 'milliseconds'],
    ['DATABASE_URL', 'mysql://x', 'a postgres://'],
    ['LOG_LEVEL', 'loud', 'one of trace'],
    ['TRUSTED_PROXIES', 'everybody', 'ranges such as 10.0.0.0/8'],
    // As good as believing every caller.
    ['TRUSTED_PROXIES', 'loopback,0.0.0.0/0', 'ranges such as 10.0.0.0/8'],
    ['TRUSTED_PROXIES', '2000::/3', 'ranges such as 10.0.0.0/8'],
    ['TRUSTED_PROXIES', '10.0.0.0/33', 'ranges such as 10.0.0.0/8'],
    ['TRUSTED_PROXIES', '10.0.0.0/8/8', 'ranges such as 10.0.0.0/8'],
  ])('refuses %s=%s and says what it expects, without repeating the value', (name, value, expected) => {
    const error = refusal({ [name]: value })
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(`${name} is wrong: expected`)
    expect(error.message).toContain(expected)
    if (value.length > 5) expect(error.message).not.toContain(value)
  })

  it.each([
    [{ SUPABASE_URL: 'https://x.supabase.co' }, 'SUPABASE_SERVICE_ROLE_KEY'],
    [{ DATABASE_URL: 'postgres://db/x', API_KEY: 'k'.repeat(16) }, 'ENCRYPTION_KEY'],
    [{ DATABASE_URL: 'postgres://db/x', ENCRYPTION_KEY: KEY }, 'API_KEY'],
    [{ GHL_CLIENT_ID: 'abc' }, 'GHL_CLIENT_SECRET'],
    [{ GHL_CLIENT_ID: 'abc', GHL_CLIENT_SECRET: 'def' }, 'GHL_PROVIDER_ID'],
  ])('names the variable that must accompany another: %o needs %s', (env, missing) => {
    const error = refusal(env)
    expect(error.code).toBe('CONFIG_MISSING')
    expect(error.message).toContain(`${missing} is missing`)
  })

  it('accepts plain schemes for this machine and cuts trailing slashes', () => {
    const config = parseConfig({
      GHL_API_URL: 'http://127.0.0.1:9/',
      WHATSAPP_WEB_SOCKET_URL: 'ws://localhost:9/ws/chat',
    })
    expect(config.GHL_API_URL).toBe('http://127.0.0.1:9')
    expect(config.WHATSAPP_WEB_SOCKET_URL).toBe('ws://localhost:9/ws/chat')
  })

  it('takes proxies by word, address and range', () => {
    const given = ['uniquelocal', '192.0.2.1', '10.0.0.0/8', 'fd00::/8', '2001:db8::1']
    expect(parseConfig({ TRUSTED_PROXIES: given.join(', ') }).TRUSTED_PROXIES).toEqual(given)
    expect(parseConfig({}).TRUSTED_PROXIES).toEqual([])
  })

  it('is documented as it is: docs/configuration.md and .env.example are not stale', async () => {
    expect(await readFile('docs/configuration.md', 'utf8')).toBe(configurationMarkdown())
    expect(await readFile('.env.example', 'utf8')).toBe(envExample())
  })
})
