// Looks at pages of the built site in a browser, as wide as a desk's screen and as a phone's: look.mjs DIRECTORY PICTURES CHROMIUM NODE_MODULES
// Each must have no violation of axe-core, no error in the console, nothing wider than the screen, and its diagrams drawn. A search must find what it is asked for.
import { createServer } from 'node:http'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join, normalize, resolve } from 'node:path'

const [site, pictures, executablePath, modules] = process.argv.slice(2).map((p) => resolve(p))
const require = createRequire(join(modules, 'any.js'))
const { chromium } = require('playwright-core')
const axe = require.resolve('axe-core/axe.min.js')
const pages = ['index', 'tutorial', 'concepts', 'how-to/which-bucket-and-why', 'metrics']
const screens = { desktop: { viewport: { width: 1440, height: 900 } }, phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } }
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json', '.woff2': 'font/woff2', '.png': 'image/png' }
const problems = []

const server = createServer((request, response) => {
  const file = join(site, normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname)))
  const found = [file, file + '.html', join(file, 'index.html')].find((f) => f.startsWith(site) && statSync(f, { throwIfNoEntry: false })?.isFile())
  response.writeHead(found ? 200 : 404, { 'content-type': types[extname(found ?? '')] ?? 'text/plain' }).end(found ? readFileSync(found) : 'not found')
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const at = `http://127.0.0.1:${server.address().port}/`
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })

async function look(name, screen, theme) {
  const where = `${name}, ${screen}, ${theme}`
  const page = await browser.newPage({ ...screens[screen], colorScheme: theme, reducedMotion: 'reduce' })
  page.on('console', (m) => m.type() === 'error' && problems.push(`${where}: ${m.text()} ${m.location().url ?? ''}`))
  page.on('pageerror', (e) => problems.push(`${where}: ${e.message}`))
  await page.goto(`${at}${name === 'index' ? '' : name + '.html'}`, { waitUntil: 'networkidle' })
  await page.waitForFunction(() => !document.querySelector('pre.mermaid:not([data-processed])'), null, { timeout: 20_000 })
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  if (wide > 0) problems.push(`${where}: ${wide} pixels wider than the screen`)
  await page.addScriptTag({ path: axe })
  const { violations, passes } = await page.evaluate(() => window.axe.run())
  for (const v of violations) problems.push(`${where}: axe ${v.id}: ${v.nodes.length} times, first ${v.nodes[0].target}: ${v.nodes[0].failureSummary.split('\n')[1]}`)
  if (passes.length < 20) problems.push(`${where}: axe looked at next to nothing (${passes.length} rules)`)
  await page.screenshot({ path: join(pictures, `${name.replaceAll('/', '-')}-${screen}${theme === 'dark' ? '-dark' : ''}.png`) })
  await page.close()
}

async function search(words, expected) {
  const page = await browser.newPage(screens.desktop)
  await page.goto(at, { waitUntil: 'networkidle' })
  await page.click('button.DocSearch-Button')
  await page.waitForSelector('#localsearch-input')
  await page.fill('#localsearch-input', words)
  const found = await page.waitForSelector(`.VPLocalSearchBox a.result[href*="${expected}"]`, { timeout: 10_000 }).catch(() => null)
  if (!found) problems.push(`search: "${words}" does not find ${expected}`)
  await page.screenshot({ path: join(pictures, 'search.png') })
  await page.close()
}

mkdirSync(pictures, { recursive: true })
for (const name of pages) for (const screen of Object.keys(screens)) await look(name, screen, 'light')
await look('index', 'desktop', 'dark')
await look('zh/quick-start', 'desktop', 'light')
await search('DowngradeRefused', 'troubleshooting.html#downgraderefused')
await search('not compliant', 'how-to/which-bucket-and-why.html')
await search('rotate key', 'how-to/rotate-a-kms-key.html')
await browser.close()
server.close()
console.log(problems.length ? problems.join('\n') : `looked at ${pages.length} pages, desktop and phone: pictures in ${pictures.slice(process.cwd().length + 1)}`)
process.exit(problems.length ? 1 : 0)
