"""Files that hold maps, one or many: pictures, arrays, polygons, fixations. Everything here runs in a child."""
