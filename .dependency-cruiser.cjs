// main -> app -> { http, whatsapp, ghl, store, outbox } -> bridge -> core.
// Adapters never import each other; only app.ts sees them all.
const ADAPTERS = ['http', 'whatsapp', 'ghl', 'store', 'outbox']

const only = (folder, npmPackage) => ({
  name: `${npmPackage.replaceAll(/[@/]/g, '')}-only-in-${folder}`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/${folder}/` },
  to: { path: `^node_modules/${npmPackage}/` },
})

module.exports = {
  forbidden: [
    { name: 'no-cycles-even-type-only', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: '^src/core/' },
    },
    {
      name: 'bridge-knows-only-core',
      severity: 'error',
      from: { path: '^src/bridge/' },
      to: { pathNot: '^src/(bridge|core)/' },
    },
    ...ADAPTERS.map((folder) => ({
      name: `adapters-do-not-know-each-other-${folder}`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: '^src/', pathNot: `^src/(${folder}|bridge|core)/` },
    })),
    {
      name: 'only-main-and-app-assemble',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/([^/]+)\\.ts$' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    {
      name: 'pages-know-only-the-api',
      severity: 'error',
      from: { path: '^src/web/' },
      to: { path: '^src/', pathNot: '^src/web/' },
    },
    {
      name: 'pages-are-served-not-imported',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/web/' },
      to: { path: '^src/web/' },
    },
    { name: 'sandbox-apart-from-src', severity: 'error', from: { path: '^sandbox/' }, to: { path: '^src/' } },
    {
      name: 'src-apart-from-sandbox',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(sandbox|test|bench)/' },
    },
    only('whatsapp', '@whiskeysockets/baileys'),
    only('ghl', 'form-data'),
    only('store', 'pg'),
    only('store', '@electric-sql/pglite'),
    only('store', '@supabase/supabase-js'),
    only('http', 'fastify'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/web/dist' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
