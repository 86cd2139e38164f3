mkdir html
echo '<p>' >html/index.html
