import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Two pages: the terminal, and the operators' console. Assets are named by what is in them, so that
// browsers may keep them for good.
export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ["index.html", "console.html"] },
  },
});
