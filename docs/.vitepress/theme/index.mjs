import { inBrowser } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import './style.css'

// Draws the diagrams of a page. The library is loaded on pages that have one, and nowhere else.
async function drawDiagrams() {
  if (!document.querySelector('pre.mermaid:not([data-processed])')) return
  const { default: mermaid } = await import('mermaid/dist/mermaid.esm.min.mjs')
  mermaid.initialize({ startOnLoad: false, theme: document.documentElement.classList.contains('dark') ? 'dark' : 'neutral' })
  await mermaid.run()
}

// VitePress 1.6 has a button in a button, and a name that is not the text that is seen: axe-core objects to both.
function correctRoles() {
  document.querySelectorAll('.VPSidebarItem > .item[role=button]').forEach((item) => ['role', 'tabindex'].forEach((a) => item.removeAttribute(a)))
  const search = document.querySelector('.DocSearch-Button')
  if (search?.innerText.trim()) search.removeAttribute('aria-label')
}

const afterChange = () => (correctRoles(), drawDiagrams())

export default {
  extends: DefaultTheme,
  enhanceApp({ router }) {
    if (!inBrowser) return
    router.onAfterRouteChange = () => setTimeout(afterChange)
    window.addEventListener('load', afterChange)
  },
}
