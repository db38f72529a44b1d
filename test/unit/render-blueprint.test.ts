/** render.yaml is what the program needs: a deploy on Render starts, is found healthy and keeps its data. */
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { parseConfig, VARIABLES } from '../../src/config.ts'
import { healthRoutes } from '../../src/http/routes/health.ts'

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

/** What of Render's blueprint we use; a word that is not here is a mistake. */
const variable = z
  .strictObject({
    key: z.string(),
    value: z.string().optional(),
    sync: z.literal(false).optional(),
    generateValue: z.literal(true).optional(),
  })
  .refine(({ key: _, ...sources }) => Object.keys(sources).length === 1, { error: 'one source of its value' })
const blueprint = z.strictObject({
  services: z.tuple([
    z.strictObject({
      type: z.literal('web'),
      name: z.string(),
      runtime: z.literal('node'),
      plan: z.string(),
      buildCommand: z.string(),
      startCommand: z.string(),
      healthCheckPath: z.string(),
      maxShutdownDelaySeconds: z.int().min(1).max(300),
      disk: z.strictObject({ name: z.string(), mountPath: z.string(), sizeGB: z.int().min(1) }),
      envVars: z.array(variable),
    }),
  ]),
})
const [service] = blueprint.parse(parse(read('render.yaml'))).services
const manifest = z
  .object({
    engines: z.object({ node: z.string() }),
    scripts: z.object({ start: z.string(), prepare: z.string(), build: z.string() }),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(read('package.json')))

/** Read by Node and npm, not by our program. */
const NOT_OURS = new Set(['NODE_ENV', 'NPM_CONFIG_INCLUDE'])
const ours = service.envVars.filter(({ key }) => !NOT_OURS.has(key))
const literal = Object.fromEntries(service.envVars.map(({ key, value }) => [key, value]))

describe('render.yaml', () => {
  it('names each variable once, and only such as the program or npm reads', () => {
    const names = service.envVars.map(({ key }) => key)
    expect(new Set(names).size).toBe(names.length)
    expect(ours.map(({ key }) => key).filter((key) => !Object.hasOwn(VARIABLES, key))).toEqual([])
  })

  it('holds no secret, but asks for it or has it made', () => {
    const written = ours.filter(({ key, value }) => VARIABLES[key]?.secret === true && value !== undefined)
    expect(written).toEqual([])
  })

  it('is a whole configuration once the person has filled in what it asks for', () => {
    const answers: Record<string, string> = {
      PUBLIC_URL: 'https://bridge.example',
      ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    }
    const filled = ours.map(({ key, value }) => [key, value ?? answers[key] ?? 'what-a-person-pastes-here'])
    const config = parseConfig(Object.fromEntries(filled) as Record<string, string>) // pairs of strings, above
    expect(config.HOST).toBe('0.0.0.0')
    for (const name of [
      'GHL_CLIENT_ID',
      'GHL_CLIENT_SECRET',
      'GHL_PROVIDER_ID',
      'GHL_SHARED_SECRET',
    ] as const)
      expect(config[name], name).toBeDefined()
  })

  it('keeps the store on the disk', () => {
    expect(`${literal['DATA_DIR'] ?? ''}/`.startsWith(`${service.disk.mountPath}/`)).toBe(true)
  })

  it('starts what npm start starts, on the Node that npm ci installs, with the pages built', () => {
    expect(service.startCommand).toBe(`node_modules/.bin/${manifest.scripts.start}`)
    expect(service.buildCommand).toBe('npm ci')
    // Under NODE_ENV=production npm leaves development packages out unless told otherwise.
    expect([literal['NODE_ENV'], literal['NPM_CONFIG_INCLUDE']]).toEqual(['production', 'dev'])
    expect(manifest.scripts.prepare).toBe(manifest.scripts.build)
    const oldest = Number(/^>=(\d+)$/.exec(manifest.engines.node)?.[1])
    expect(Number(manifest.devDependencies['node']?.split('.')[0])).toBeGreaterThanOrEqual(oldest)
  })

  it('asks a path whether it is healthy that answers 200', async () => {
    const app = Fastify().setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler)
    const away = () => Promise.reject(new Error('not asked'))
    const desk = { list: away } as unknown as Parameters<typeof healthRoutes>[0]['desk'] // the rest is not reached
    await app.register(healthRoutes({ ping: away, desk }))
    expect((await app.inject(service.healthCheckPath)).statusCode).toBe(200)
    await app.close()
  })
})
