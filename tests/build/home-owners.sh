# the context of home-owners
