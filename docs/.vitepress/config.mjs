// The documentation as a site: `make docs` lays the pages out (tests/docs/stage.py), builds it and checks it.
// DOCS_BASE=/path/ builds it for a path of a host.
import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'

const pages = new URL('../', import.meta.url)
const titleOf = (page) => readFileSync(new URL(page, pages), 'utf8').match(/^# (.*)$/m)[1].replaceAll('`', '')
const item = (page, text) => ({ text: text ?? titleOf(page), link: '/' + page })
const all = (folder) =>
  readdirSync(new URL(folder, pages)).filter((f) => f.endsWith('.md') && f !== 'index.md').sort().map((f) => item(folder + f))

const sidebar = [
  {
    text: 'Tutorial',
    items: [item('index.md', 'What it is'), item('tutorial.md', 'Ten minutes with kind and MinIO'), item('quick-start.md', 'Quick start by vendor'), item('zh/quick-start.md', '快速开始')],
  },
  {
    text: 'How-to',
    items: [
      { text: 'Run it', collapsed: false, items: [item('install.md'), item('upgrade.md'), item('deploy/argocd/index.md'), item('deploy/flux/index.md'),
        item('deploy/components/index.md'), item('verify.md'), item('how-to/proxy-or-gateway.md')] },
      { text: 'Encrypt buckets', collapsed: false, items: [item('how-to/audit-an-account.md'), item('how-to/from-audit-to-enforce.md'),
        item('how-to/rotate-a-kms-key.md'), item('how-to/move-from-other-tools.md'), item('how-to/ceph.md'), item('how-to/minio.md'), item('selectors.md')] },
      { text: 'Work in teams', collapsed: false, items: [item('how-to/several-teams-one-account.md'), item('several-teams.md'), item('guardrails.md'), item('how-to/prove-compliance.md')] },
      { text: 'When something is wrong', collapsed: false, items: [item('how-to/which-bucket-and-why.md'), item('troubleshooting.md'),
        { text: 'Runbooks of the alerts', collapsed: true, items: all('runbooks/') }] },
    ],
  },
  {
    text: 'Reference',
    items: [
      item('reference/index.md'), item('reference.md'), item('status.md'), item('stores.md'), item('credentials.md'), item('kms-keys.md'), item('endpoints.md'), item('limits.md'),
      item('flags.md'), item('commands.md'), item('bucket-encryption-command.md'), item('charts/bucket-encryption-operator/index.md', 'Chart and its values'), item('metrics.md'), item('logs.md'),
      { text: 'Facts about the vendors', collapsed: true, items: all('vendors/') },
      item('benchmarks.md'), item('support.md'),
    ],
  },
  {
    text: 'Explanation',
    items: [
      item('concepts.md'), item('concepts.md#what-is-compared-and-what-is-kept', 'What "declared" means'), item('concepts.md#several-policies-that-name-one-bucket', 'Who owns a bucket'),
      item('evidence.md'), item('concepts.md#what-it-does-not-do-yet', 'What is not promised'), item('why-this-one.md'), item('faq.md'), item('glossary.md'),
      item('runtime.md'), { text: 'Design decisions', collapsed: true, items: [item('design/index.md', 'Index'), ...all('design/')] },
    ],
  },
  { text: 'Project', collapsed: true, items: ['SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'ROADMAP.md'].map((p) => item(p)) },
]

// As GitHub makes anchors (tests/tools/links.py): the pages are read there too.
const slugify = (title) => title.toLowerCase().replace(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-')

export default defineConfig({
  title: 'Bucket Encryption Operator',
  description: 'Keeps the default server-side encryption of object store buckets as you declare it in Kubernetes',
  base: process.env.DOCS_BASE ?? '/',
  outDir: '../dist',
  cacheDir: '../cache',
  lang: 'en',
  locales: { root: { label: 'English', lang: 'en' }, zh: { label: '简体中文', lang: 'zh-CN', link: '/zh/quick-start.html' } },
  head: [['link', { rel: 'icon', href: (process.env.DOCS_BASE ?? '/') + 'icon.svg', type: 'image/svg+xml' }]],
  markdown: {
    html: false, // a page says <word>, and means that
    anchor: { slugify },
    toc: { slugify },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    languageAlias: { promql: 'text' },
    config(md) {
      md.renderer.rules.code_inline = (tokens, i) => `<code v-pre>${md.utils.escapeHtml(tokens[i].content)}</code>`
      // A corner of a table that has no text heads nothing.
      const cell = (sign) => (tokens, i) => `<${sign}${tokens[i + (sign ? -1 : 1)].content ? 'th' : 'td'}>`
      md.renderer.rules.th_open = cell('')
      md.renderer.rules.th_close = cell('/')
      const fence = md.renderer.rules.fence
      md.renderer.rules.fence = (tokens, i, ...rest) =>
        tokens[i].info.trim() === 'mermaid' ? `<pre class="mermaid" tabindex="0" v-pre>${md.utils.escapeHtml(tokens[i].content)}</pre>` : fence(tokens, i, ...rest)
    },
  },
  themeConfig: {
    logo: '/icon.svg',
    i18nRouting: false, // one page is translated
    sidebar,
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    nav: [
      { text: 'Tutorial', link: '/tutorial' }, { text: 'How-to', link: '/how-to/audit-an-account' }, { text: 'Reference', link: '/reference/' },
      { text: 'Concepts', link: '/concepts' }, { text: 'FAQ', link: '/faq' },
    ],
  },
})
